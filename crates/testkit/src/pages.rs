//! Lists, read to their end.

use prost::Message;

/// The most bytes of an answer that gRPC clients accept unless told otherwise.
const MOST: usize = 4 << 20;

/// Reads a list to its end; returns the rows of each page. `read` reads the page of a token; `rows` takes the rows of an answer and the
/// token of the next page. Panics when an answer is longer than gRPC clients accept.
pub async fn pages<M: Message, R>(
    mut read: impl AsyncFnMut(String) -> M,
    rows: impl Fn(M) -> (Vec<R>, String),
) -> Vec<Vec<R>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let answer = read(token).await;
        let bytes = answer.encoded_len();
        assert!(bytes <= MOST, "page {} has {bytes} bytes", pages.len());
        let (page, next) = rows(answer);
        pages.push(page);
        if next.is_empty() {
            return pages;
        }
        token = next;
    }
}
