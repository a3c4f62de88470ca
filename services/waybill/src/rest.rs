//! A REST client as a portal or a partner would write it: retries calls that may be lost, returns refusals.

use std::time::Duration;

use anyhow::{Context as _, bail};
use mesh::Secret;
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// How often a call is tried while the other side cannot be reached or is busy.
const ATTEMPTS: u32 = 60;

/// A number of an answer. 64-bit numbers are texts in JSON.
pub fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0)
}

/// The `application/problem+json` of a refused call.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The reason, such as `NOT_FOUND`.
    pub reason: String,
    /// One sentence.
    pub detail: String,
}

/// A client of one gateway.
#[derive(Debug, Clone)]
pub struct Rest {
    base: String,
    credential: Option<Secret>,
    http: reqwest::Client,
}

impl Rest {
    /// A client of the gateway at `base`, such as `http://127.0.0.1:8080`. Its TLS is that of [`mesh::install_process_defaults`].
    pub fn new(base: impl Into<String>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { base: base.into(), credential: None, http })
    }

    /// The same client, calling with a bearer token or an API key.
    #[must_use]
    pub fn with_credential(self, credential: Option<Secret>) -> Self {
        Self { credential, ..self }
    }

    /// The gateway's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Reads a resource. A refusal is an error.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        match self.call(Method::GET, path, None, None).await? {
            Ok(answer) => Ok(answer),
            Err(problem) => bail!("GET {path}: {} {}: {}", problem.status, problem.reason, problem.detail),
        }
    }

    /// Sends a command, with an idempotency key when one is given.
    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<Result<Value, Problem>> {
        self.call(Method::POST, path, key, Some(body)).await
    }

    /// Changes a resource, with an idempotency key when one is given.
    pub async fn patch(&self, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<Result<Value, Problem>> {
        self.call(Method::PATCH, path, key, Some(body)).await
    }

    /// Sends a command that must not be refused; `ALREADY_EXISTS` counts as success.
    pub async fn ensure(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<()> {
        match self.post(path, Some(key), body).await? {
            Ok(_) => Ok(()),
            Err(problem) if problem.reason == "ALREADY_EXISTS" => Ok(()),
            Err(problem) => bail!("POST {path}: {} {}: {}", problem.status, problem.reason, problem.detail),
        }
    }

    /// Reads all pages of a list and gathers the items named `field`.
    pub async fn list(&self, path: &str, field: &str) -> anyhow::Result<Vec<Value>> {
        let join = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut token) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}{join}pageSize=500&pageToken={token}")).await?;
            if let Some(Value::Array(found)) = page.get_mut(field).map(Value::take) {
                items.extend(found);
            }
            match page["nextPageToken"].as_str() {
                Some(next) if !next.is_empty() => token = next.to_owned(),
                _ => return Ok(items),
            }
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<Result<Value, Problem>> {
        for attempt in 1..=ATTEMPTS {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
            if let Some(credential) = &self.credential {
                request = request.bearer_auth(credential.reveal());
            }
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = match request.send().await {
                Ok(response) => response,
                Err(error) if attempt == ATTEMPTS => return Err(error).with_context(|| format!("calling {path}")),
                Err(_) => {
                    pause(attempt).await;
                    continue;
                }
            };
            let status = response.status();
            let busy = matches!(
                status,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::GATEWAY_TIMEOUT
            );
            if busy && attempt < ATTEMPTS {
                pause(attempt).await;
                continue;
            }
            let answer: Value = response.json().await.with_context(|| format!("reading the answer of {path}"))?;
            if status.is_success() {
                return Ok(Ok(answer));
            }
            return Ok(Err(Problem {
                status: status.as_u16(),
                reason: answer["reason"].as_str().unwrap_or_default().to_owned(),
                detail: answer["detail"].as_str().unwrap_or_default().to_owned(),
            }));
        }
        bail!("{path}: no answer after {ATTEMPTS} attempts")
    }
}

async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(attempt.min(20)) * 25)).await;
}
