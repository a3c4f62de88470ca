use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use mesh::Stop;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn those_who_run_a_member_see_its_state() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (process, end, ready) = (Stop::new(), Stop::new(), Arc::new(AtomicBool::new(false)));
    let check = ready.clone();
    let check = move || {
        let ready = check.load(Ordering::SeqCst);
        async move { ready }
    };
    let admin = tokio::spawn({
        let (process, end) = (process.clone(), end.clone());
        async move { mesh::admin::serve(listener, &process, end, check).await }
    });
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 503"));
    ready.store(true, Ordering::SeqCst);
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/metrics").await.starts_with("HTTP/1.1 200"));
    process.leave();
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 503"), "while it leaves");
    process.request();
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"), "while it drains");
    end.request();
    admin.await.unwrap().unwrap();
}
