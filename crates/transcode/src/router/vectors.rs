//! Test cases from the comments of `google/api/http.proto` and from the tests of Vanguard (`connectrpc/vanguard-go`:
//! `path_parser_test.go`, `router_test.go`).
//!
//! Where the two differ http.proto is followed: a variable inside a variable, which Vanguard accepts, is refused here.
//! Two variables of one name are refused where their fields are resolved.

use http::Method;

use super::{Found, Router};
use crate::template::Template;

/// Vanguard's templates without nested variables, as what they match, their variables and what of it they cover.
#[test]
fn a_template_is_read_as_elsewhere() {
    for (template, path, variables) in [
        ("/f/bar", "/f/bar", &[][..]),
        ("/{_}", "/*", &[("_", 0, 1)]),
        ("/{hello}/world", "/*/world", &[("hello", 0, 1)]),
        (
            "/my%2fcool-blog~about%2Cstuff%5Bwat%5D/{def=%2F%2A/**}:baz",
            "/my%2Fcool-blog~about%2Cstuff%5Bwat%5D/%2F%2A/**:baz",
            &[("def", 1, 3)],
        ),
        ("/foo/bar:baz%12xyz%abcde", "", &[]), // the verb is not UTF-8
        ("/foo/bar:baz%12xyz", "/foo/bar:baz%12xyz", &[]),
        (
            "/foo%2Fbar/%2A/%2A%2a/{starstar=%2A%2a/**}:%2c",
            "/foo%2Fbar/%2A/%2A%2A/%2A%2A/**:%2C",
            &[("starstar", 3, 5)],
        ),
        ("/v1/{name=shelves/*/books/*}", "/v1/shelves/*/books/*", &[("name", 1, 5)]),
        ("/v1/{parent=shelves/*}/books", "/v1/shelves/*/books", &[("parent", 1, 3)]),
        ("/v1/{book.name=shelves/*/books/*}", "/v1/shelves/*/books/*", &[("book.name", 1, 5)]),
        ("/v1:watch", "/v1:watch", &[]),
        ("/v3/events:clear", "/v3/events:clear", &[]),
        ("/v3/{name=events/*}:cancel", "/v3/events/*:cancel", &[("name", 1, 3)]),
        ("/foo/bar/{name}/baz/{child}", "/foo/bar/*/baz/*", &[("name", 2, 3), ("child", 4, 5)]),
        ("/foo/bar/*/{thing.id}/{cat=**}", "/foo/bar/*/*/**", &[("thing.id", 3, 4), ("cat", 4, 5)]),
        ("/foo/bar/*/{thing.id}/{cat=**}:do", "/foo/bar/*/*/**:do", &[("thing.id", 3, 4), ("cat", 4, 5)]),
        ("/%66%6f%6f/%30%39%41%5a%61%7a/%5f%2D%2e%7e%25", "/foo/09AZaz/_-.~%25", &[]),
        ("/v1/{name=messages/*}", "/v1/messages/*", &[("name", 1, 3)]),
        (
            "/v1/users/{user_id}/messages/{message_id}",
            "/v1/users/*/messages/*",
            &[("user_id", 2, 3), ("message_id", 4, 5)],
        ),
        ("/**", "/**", &[]),
        ("/v1/**:do", "/v1/**:do", &[]),
    ] {
        match Template::parse(template) {
            Ok(parsed) => {
                assert_eq!(parsed.to_string(), path, "{template}");
                let found: Vec<_> = parsed.variables.iter().map(|v| (v.field.as_str(), v.start, v.end)).collect();
                assert_eq!(found, variables, "{template}");
            }
            Err(problem) => assert_eq!("", path, "{template}: {problem}"),
        }
    }
}

#[test]
fn what_is_no_template_elsewhere_is_none_here() {
    for template in [
        "/{1}",
        "/{field.1}",
        "/{-}",
        "/{field-}",
        "/foo/bar/baz?abc=def",
        "/foo/bar/baz buzz",
        "foo/bar/baz",
        "/foo/bar/",
        "/foo/bar:baz/buzz",
        "/foo/{bar/baz}/buzz",
        "/foo/bar%55:baz%1",
        "/foo/bar*",
        "/foo/bar/***",
        "/foo/**/bar",
        // http.proto: "A variable template must not contain other variables."
        "/foo/bob/{book_id={author}/{isbn}/*}/details",
        "/my/{var={abc=%2F%2A}/{def=%2F%2A/**}}:baz",
        // http.proto: `**` "must be the last part of the URL path except the `Verb`".
        "/v1/{name=**}/more",
        "/v1/{name=**/more}",
        // http.proto: `FieldPath = IDENT { "." IDENT }`, `Verb = ":" LITERAL`.
        "/v1/{}",
        "/v1/{a..b}",
        "/v1/{.a}",
        "/v1/a:",
        "/v1/a:b:c",
        "/v1/a:{b}",
        "/v1/a#b",
        "/v1/ä",
    ] {
        assert!(Template::parse(template).is_err(), "{template}");
    }
}

/// The routes of Vanguard's `router_test.go`, each for GET and POST.
const ROUTES: [&str; 8] = [
    "/foo/bar/baz/buzz",
    "/foo/bar/{name}",
    "/foo/bar/{name}/baz/{child}",
    "/foo/bar/{name}/baz/{child.id}/buzz/{child.thing.id}",
    "/foo/bar/*/{thing.id}/{cat=**}",
    "/foo/bar/*/{thing.id}/{cat=**}:do",
    "/foo/bar/*/{thing.id}/{cat=**}:cancel",
    "/foo%2Fbar/%2A/%2A%2a/{starstar=%2A%2a/**}:%2c",
];

#[test]
fn a_path_finds_its_template_and_fills_its_variables() {
    let mut router = Router::default();
    for route in ROUTES {
        let template = Template::parse(route).unwrap();
        router.add(Some(Method::GET), &template, template.clone()).unwrap();
        router.add(Some(Method::POST), &template, template.clone()).unwrap();
    }
    for (path, route, values) in [
        ("/bob/lob/law", "", &[][..]),
        ("/foo/bob/lob/law", "", &[]),
        ("/foo/bar/baz", "/foo/bar/{name}", &["baz"]),
        ("/foo/bar/baz/buzz", "/foo/bar/baz/buzz", &[]),
        ("/foo/bar/baz/baz/buzz", "/foo/bar/{name}/baz/{child}", &["baz", "buzz"]),
        ("/foo/bar/1/baz/2/buzz/3", "/foo/bar/{name}/baz/{child.id}/buzz/{child.thing.id}", &["1", "2", "3"]),
        ("/foo/bar/baz/123", "/foo/bar/*/{thing.id}/{cat=**}", &["123", ""]),
        ("/foo/bar/baz/123/buzz", "/foo/bar/*/{thing.id}/{cat=**}", &["123", "buzz"]),
        ("/foo/bar/baz/123/buzz/buzz", "/foo/bar/*/{thing.id}/{cat=**}", &["123", "buzz/buzz"]),
        ("/foo/bar/baz/123/buzz/buzz:do", "/foo/bar/*/{thing.id}/{cat=**}:do", &["123", "buzz/buzz"]),
        (
            "/foo/bar/baz/123/fizz/buzz/frob/nitz:do",
            "/foo/bar/*/{thing.id}/{cat=**}:do",
            &["123", "fizz/buzz/frob/nitz"],
        ),
        ("/foo/bar/baz/123/buzz/buzz:cancel", "/foo/bar/*/{thing.id}/{cat=**}:cancel", &["123", "buzz/buzz"]),
        // Vanguard finds nothing; here a colon that begins no verb belongs to the value.
        ("/foo/bar/baz/123/buzz/buzz:blah", "/foo/bar/*/{thing.id}/{cat=**}", &["123", "buzz/buzz:blah"]),
        ("/foo%2fbar/*/**/**/x:,", ROUTES[7], &["**/x"]),
        ("/foo%2Fbar/%2A/%2a%2A/%2a*/x/y%2Fz:%2C", ROUTES[7], &["**/x/y%2Fz"]),
        ("/foo/bar/*/**/**/x:,", "/foo/bar/*/{thing.id}/{cat=**}", &["**", "**/x:,"]),
        // http.proto: a variable of one segment is decoded, of several it is decoded "except %2F and %2f".
        ("/foo/bar/a%2Fb%20c", "/foo/bar/{name}", &["a/b c"]),
        ("/foo/bar/a%252Fb", "/foo/bar/{name}", &["a%2Fb"]),
        ("/foo/bar/baz/1%2F2/a%2Fb/c%2fd%20e", "/foo/bar/*/{thing.id}/{cat=**}", &["1/2", "a%2Fb/c%2fd e"]),
    ] {
        for method in [Method::GET, Method::POST] {
            match router.find(&method, path) {
                Found::Target(found, segments) => {
                    assert_eq!(*found, Template::parse(route).unwrap(), "{path}");
                    assert_eq!(found.capture(&segments).unwrap(), values, "{path}");
                }
                other @ (Found::OtherMethods(_) | Found::Nothing) => assert_eq!(route, "", "{path}: {other:?}"),
            }
        }
        for method in [Method::DELETE, Method::PUT] {
            let all = vec![Method::GET, Method::HEAD, Method::POST];
            let expected = if route.is_empty() { Found::Nothing } else { Found::OtherMethods(all) };
            assert_eq!(router.find(&method, path), expected, "{path}");
        }
        let head = matches!(router.find(&Method::HEAD, path), Found::Target(..));
        assert_eq!(head, !route.is_empty(), "{path}");
    }
}

#[test]
fn a_custom_kind_has_its_place_beside_the_others_and_a_star_takes_what_is_left() {
    let method = |name: &str| Method::from_bytes(name.as_bytes()).unwrap();
    let template = |text: &str| Template::parse(text).unwrap();
    let mut router = Router::default();
    router.add(Some(Method::GET), &template("/v1/{name=files/*}"), "get").unwrap();
    router.add(Some(method("LOCK")), &template("/v1/{other=files/*}"), "lock").unwrap();
    router.add(Some(Method::HEAD), &template("/v1/heads/*"), "head").unwrap();
    router.add(Some(Method::GET), &template("/v1/heads/*"), "get head").unwrap();
    router.add(None, &template("/v1/any/**"), "any").unwrap();
    router.add(Some(Method::GET), &template("/v1/any/one"), "one").unwrap();
    for (name, path, expected) in [
        ("GET", "/v1/files/a", Found::Target(&"get", vec!["v1", "files", "a"])),
        ("HEAD", "/v1/files/a", Found::Target(&"get", vec!["v1", "files", "a"])),
        ("LOCK", "/v1/files/a", Found::Target(&"lock", vec!["v1", "files", "a"])),
        ("UNLOCK", "/v1/files/a", Found::OtherMethods(vec![Method::GET, Method::HEAD, method("LOCK")])),
        ("HEAD", "/v1/heads/a", Found::Target(&"head", vec!["v1", "heads", "a"])),
        ("GET", "/v1/heads/a", Found::Target(&"get head", vec!["v1", "heads", "a"])),
        ("PURGE", "/v1/any", Found::Target(&"any", vec!["v1", "any"])),
        ("DELETE", "/v1/any/one", Found::Target(&"any", vec!["v1", "any", "one"])),
        ("HEAD", "/v1/any/one", Found::Target(&"one", vec!["v1", "any", "one"])),
    ] {
        assert_eq!(router.find(&method(name), path), expected, "{name} {path}");
    }
}
