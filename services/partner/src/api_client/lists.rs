//! Lists of API clients and keys, and the key with a hash.

use store::{Column, Db, Kind, page::Page};
use types::{ApiClientId, Fault};

use super::{ApiClient, key::ApiKey};

/// A page of API clients by id, and the token of the next.
pub(crate) async fn api_clients(db: &Db, page_size: i32, page_token: &str) -> Result<(Vec<ApiClient>, String), Fault> {
    let page = Page::read("api_clients", &[], &[Kind::Text], page_size, page_token)?;
    let mut args = page.after().map(<[_]>::to_vec).unwrap_or_default();
    let after = if args.is_empty() { "" } else { "WHERE api_client_id > $1 " };
    args.push(page.limit().to_value());
    let tail = format!("{after}ORDER BY api_client_id LIMIT ${}", args.len());
    let mut api_clients = db.list::<ApiClient>(&tail, args).await?;
    let next = page.next(&mut api_clients, |api_client| vec![api_client.api_client_id.to_value()]);
    Ok((api_clients, next))
}

/// A page of an API client's keys, newest first, and the token of the next.
pub(crate) async fn keys(
    db: &Db,
    api_client_id: &ApiClientId,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<ApiKey>, String), Fault> {
    let page = Page::read("api_keys", &[&api_client_id.to_string()], &[Kind::Text], page_size, page_token)?;
    let mut args = vec![api_client_id.to_value()];
    args.extend(page.after().map(<[_]>::to_vec).unwrap_or_default());
    let after = if args.len() == 1 { "" } else { "AND api_key_id < $2 " };
    args.push(page.limit().to_value());
    let tail = format!("WHERE api_client_id = $1 {after}ORDER BY api_key_id DESC LIMIT ${}", args.len());
    let mut keys = db.list::<ApiKey>(&tail, args).await?;
    let next = page.next(&mut keys, |key| vec![key.api_key_id.to_value()]);
    Ok((keys, next))
}

/// The key with this hash.
pub(crate) async fn key_with_hash(db: &Db, key_hash: &str) -> Result<Option<ApiKey>, Fault> {
    let found = db.list::<ApiKey>("WHERE key_hash = $1", vec![key_hash.to_owned().to_value()]).await?;
    Ok(found.into_iter().next())
}
