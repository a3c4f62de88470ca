//! The page that browses the API and tries its calls. It loads nothing from other hosts.

use axum::{
    Router,
    http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::{Html, IntoResponse},
    routing::get,
};

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/docs", get(page)).route("/docs/api.css", get(style)).route("/docs/api.js", get(script))
}

async fn page() -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, "default-src 'self'; img-src data:")], Html(include_str!("../assets/api.html")))
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../assets/api.css"))
}

async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../assets/api.js"))
}
