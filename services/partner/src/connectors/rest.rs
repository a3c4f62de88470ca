//! Sends messages to warehouses that have an HTTP API.
//!
//! What the partner serves below its endpoint:
//!
//! | call | meaning | answers |
//! |---|---|---|
//! | `POST /fulfillment-orders` | request a fulfillment order | 2xx received, 409 was received before |
//! | `GET /fulfillment-orders/{key}` | ask whether it was received | 200 it was, 404 it was not |
//! | `POST /fulfillment-orders/{key}/cancellation` | stop it, or units of it | 2xx received, 404 and 409 there is nothing to stop |
//! | `POST /fulfillment-orders/{key}/ship-to-change` | ship it to another address | 2xx received, 404 and 409 there is nothing to change |
//!
//! `{key}` is the fulfillment order's idempotency key, which a POST carries in the header `Idempotency-Key` too. Bodies are
//! the JSON of `GET /v1/fulfillment-orders/{fulfillment_order_id}`. A 2xx means that the message was received; the partner
//! accepts or rejects the fulfillment order with a report. `lines[].cancelRequested` are the units to stop, all when there are none;
//! `shipToChange` is the address that is asked for.
//!
//! A request that was not answered, or answered with 5xx, may have been received: the partner is asked by the key before
//! it is repeated. A cancellation and a change of the address are repeated without asking, since stopping twice does no harm. 408, 425 and 429 mean that
//! nothing was received, and say when to repeat; any other answer is a refusal. Redirects are not followed.

use std::time::Duration;

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect::Policy,
};

use types::retry::sending::LONGEST_REQUESTED_PAUSE;

use crate::connectors::{Sending, document};

/// A client of partners' HTTP APIs.
#[derive(Debug)]
pub(crate) struct Rest {
    client: Result<Client, String>,
}

impl Rest {
    /// Waits for an answer no longer than `timeout`. The process has a provider of cryptography by now.
    pub(crate) fn new(timeout: Duration) -> Self {
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(timeout)
            .timeout(timeout)
            .user_agent(concat!("waybill/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { client: client.map_err(|error| error.to_string()) }
    }

    /// Requests a fulfillment order.
    pub(crate) async fn create(&self, endpoint: &str, key: &str, document: Vec<u8>) -> Sending {
        match self.post(endpoint, &["fulfillment-orders"], key, document).await {
            Ok(response) if response.status() == StatusCode::CONFLICT => {
                Sending::Sent("the partner had received it before".to_owned())
            }
            Ok(response) => answered(&response, "the partner received it"),
            Err(sending) => sending,
        }
    }

    /// Asks whether the partner has received a request; `None` when it has not, so that the request may be sent.
    pub(crate) async fn find(&self, endpoint: &str, key: &str) -> Option<Sending> {
        let asked = async {
            let client = self.client()?;
            client
                .get(address(endpoint, &["fulfillment-orders", key])?)
                .send()
                .await
                .map_err(|error| unanswered(&error))
        };
        match asked.await.map(|response| response.status()) {
            Ok(status) if status.is_success() => Some(Sending::Sent("the partner has it".to_owned())),
            Ok(StatusCode::NOT_FOUND) => None,
            Ok(status) => Some(Sending::InDoubt(format!("asked whether it has it, the partner answered {status}"))),
            Err(Sending::Refused(why)) => Some(Sending::Refused(why)),
            Err(_) => Some(Sending::InDoubt("the partner could not be asked whether it has it".to_owned())),
        }
    }

    /// Requests a cancellation.
    pub(crate) async fn cancel(&self, endpoint: &str, key: &str, document: Vec<u8>) -> Sending {
        self.post_about(endpoint, (key, "cancellation"), document, "the partner has nothing to stop").await
    }

    /// Requests another address.
    pub(crate) async fn change_ship_to(&self, endpoint: &str, key: &str, document: Vec<u8>) -> Sending {
        self.post_about(endpoint, (key, "ship-to-change"), document, "the partner has nothing to change").await
    }

    /// Posts about a fulfillment order, which the partner may not have, or not any more.
    async fn post_about(
        &self,
        endpoint: &str,
        (key, about): (&str, &str),
        document: Vec<u8>,
        without: &str,
    ) -> Sending {
        match self.post(endpoint, &["fulfillment-orders", key, about], key, document).await {
            Ok(response) if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::CONFLICT) => {
                Sending::Sent(without.to_owned())
            }
            Ok(response) => answered(&response, "the partner received it"),
            Err(sending) => sending,
        }
    }

    async fn post(&self, endpoint: &str, path: &[&str], key: &str, document: Vec<u8>) -> Result<Response, Sending> {
        let request = self
            .client()?
            .post(address(endpoint, path)?)
            .header("Idempotency-Key", key)
            .header(CONTENT_TYPE, document::CONTENT_TYPE)
            .body(document);
        request.send().await.map_err(|error| unanswered(&error))
    }

    fn client(&self) -> Result<&Client, Sending> {
        self.client.as_ref().map_err(|error| Sending::NotSent(format!("no HTTP client: {error}"), None))
    }
}

/// Refuses what is not the URL of an endpoint. Empty is allowed: the partner has no endpoint.
pub(crate) fn check_endpoint(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Ok(());
    }
    let url = Url::parse(text).map_err(|_| "must be a URL")?;
    let plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        _ if text.len() > 500 => Err("must have at most 500 characters"),
        "http" | "https" if plain && url.has_host() => Ok(()),
        "http" | "https" => Err("must have a host, and no user, query or fragment"),
        _ => Err("must be an http or https URL"),
    }
}

fn address(endpoint: &str, path: &[&str]) -> Result<Url, Sending> {
    let refused = || Sending::Refused(format!("not the URL of an endpoint: {endpoint}"));
    let mut url = Url::parse(endpoint).map_err(|_| refused())?;
    url.path_segments_mut().map_err(|()| refused())?.pop_if_empty().extend(path);
    Ok(url)
}

fn answered(response: &Response, received: &str) -> Sending {
    let status = response.status();
    let answer = format!("the partner answered {status}");
    match status {
        status if status.is_success() => Sending::Sent(received.to_owned()),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Sending::NotSent(answer, after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_REQUESTED_PAUSE)))
        }
        status if status.is_server_error() => Sending::InDoubt(answer),
        _ => Sending::Refused(answer),
    }
}

/// The result of a call without an answer. Only one that never connected is known not to have arrived.
fn unanswered(error: &reqwest::Error) -> Sending {
    if error.is_builder() {
        Sending::Refused("the call could not be built".to_owned())
    } else if error.is_connect() {
        Sending::NotSent("the partner could not be reached".to_owned(), None)
    } else if error.is_timeout() {
        Sending::InDoubt("the partner did not answer in time".to_owned())
    } else {
        Sending::InDoubt("the connection was lost".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_part_of_the_path() {
        let url = |endpoint| address(endpoint, &["fulfillment-orders", "ful_1:1/../x"]).unwrap().to_string();
        assert_eq!(url("http://host/api/"), "http://host/api/fulfillment-orders/ful_1:1%2F..%2Fx");
        assert_eq!(url("http://host"), "http://host/fulfillment-orders/ful_1:1%2F..%2Fx");
    }

    #[test]
    fn only_plain_http_addresses_are_endpoints() {
        for good in ["", "http://host:1/api", "https://host"] {
            assert_eq!(check_endpoint(good), Ok(()), "{good}");
        }
        for bad in ["host", "ftp://host", "http://", "http://me:pw@host", "http://host?a=b", "http://host#a"] {
            assert!(check_endpoint(bad).is_err(), "{bad}");
        }
    }
}
