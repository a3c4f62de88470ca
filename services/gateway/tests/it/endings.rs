//! Headers and refusals of a method that will be removed, over REST.

use http::{Method, Response};

use crate::clerk::{call, compile, gateway};

/// 2027-01-31T12:00:00Z
const SUNSET: i64 = 1_801_396_800_000_000;

fn all(response: &Response<()>, name: &str) -> Vec<String> {
    response.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_deprecated_method_answers_and_says_when_it_ends() {
    for path in ["/v1/letters/l1", "/v1/mail/l1"] {
        let (response, _) = call(gateway(SUNSET - 1), Method::GET, path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(all(&response, "deprecation"), ["@1767225600"]);
        assert_eq!(all(&response, "sunset"), ["Sun, 31 Jan 2027 12:00:00 GMT"]);
        assert_eq!(
            all(&response, "link"),
            [
                "<https://example.com/letters>; rel=\"deprecation\"",
                "</clerk.v1.ClerkService/AnswerLetter>; rel=\"successor-version\"",
            ]
        );
    }
    let (response, _) = call(gateway(SUNSET), Method::POST, "/v2/letters/l1:answer").await;
    assert_eq!((response.status().as_u16(), all(&response, "deprecation").len()), (200, 0));
    let (response, _) = call(gateway(SUNSET), Method::POST, "/clerk.v1.ClerkService/AnswerLetter").await;
    assert_eq!(response.status(), 200, "the successor's link leads to it");
}

#[tokio::test]
async fn a_method_past_its_sunset_is_gone() {
    let (response, problem) = call(gateway(SUNSET), Method::GET, "/v1/letters/l1").await;
    assert_eq!((response.status().as_u16(), problem["reason"].as_str()), (410, Some("METHOD_ENDED")));
    assert_eq!(problem["metadata"]["successor"], "clerk.v1.ClerkService.AnswerLetter");
    assert_eq!(all(&response, "sunset"), ["Sun, 31 Jan 2027 12:00:00 GMT"]);
    assert_eq!(all(&response, "link").len(), 2);
}

#[test]
fn an_end_that_can_not_be_meant_is_not_served() {
    let refused = gateway::router(&compile("careless.proto"), &[], None, &gateway::Config::default()).unwrap_err();
    assert!(
        refused.to_string().contains("careless.v1.CarelessService.Read: is deprecated but has no lifecycle"),
        "{refused}"
    );
}
