//! Finds the rule for a method and a path: literals before `*`, `*` before `**`, then the verb.

use std::collections::HashMap;

use http::Method;

use crate::template::{Segment, Template, decode_segment};

/// All templates in one tree of segments.
#[derive(Debug)]
pub(crate) struct Router<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<String, Self>,
    one: Option<Box<Self>>,
    rest: Option<Box<Self>>,
    ends: Vec<End<T>>,
}

#[derive(Debug)]
struct End<T> {
    verb: Option<String>,
    /// `None` is any method.
    method: Option<Method>,
    target: T,
}

/// The result of a lookup.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'r, 'p, T> {
    /// A target, and the raw segments of the path without the verb.
    Target(&'r T, Vec<&'p str>),
    /// The path has targets for these methods only.
    OtherMethods(Vec<Method>),
    /// The path has no target.
    Nothing,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), one: None, rest: None, ends: Vec::new() }
    }
}

impl<T> Default for Router<T> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

impl<T> Router<T> {
    /// Adds a target, or returns the one that has the same path and method.
    pub(crate) fn add(&mut self, method: Option<Method>, template: &Template, target: T) -> Result<(), &T> {
        let mut node = &mut self.root;
        for segment in &template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::One => node.one.get_or_insert_default(),
                Segment::Rest => node.rest.get_or_insert_default(),
            };
        }
        let taken = node.ends.iter().position(|end| end.verb == template.verb && end.method == method);
        match taken {
            Some(taken) => Err(&node.ends[taken].target),
            None => {
                node.ends.push(End { verb: template.verb.clone(), method, target });
                Ok(())
            }
        }
    }

    /// Looks up a path. HEAD finds the targets of GET.
    pub(crate) fn find<'p>(&self, method: &Method, path: &'p str) -> Found<'_, 'p, T> {
        let Some(path) = path.strip_prefix('/') else { return Found::Nothing };
        let segments: Vec<&str> = path.split('/').collect();
        let verbless = segments.split_last().and_then(|(last, before)| Some((last.rsplit_once(':')?, before)));
        if let Some(((last, verb), before)) = verbless
            && let Some(verb) = decode_segment(verb)
        {
            let mut without = before.to_vec();
            without.push(last);
            let mut search = Search { method, verb: Some(&verb), allowed: Vec::new() };
            match search.descend(&self.root, &without) {
                Some(target) => return Found::Target(target, without),
                None if !search.allowed.is_empty() => return Found::OtherMethods(search.allowed),
                // The colon may be part of a value.
                None => {}
            }
        }
        let mut search = Search { method, verb: None, allowed: Vec::new() };
        match search.descend(&self.root, &segments) {
            Some(target) => Found::Target(target, segments),
            None if !search.allowed.is_empty() => Found::OtherMethods(search.allowed),
            None => Found::Nothing,
        }
    }
}

struct Search<'s> {
    method: &'s Method,
    verb: Option<&'s str>,
    allowed: Vec<Method>,
}

impl Search<'_> {
    fn descend<'r, T>(&mut self, node: &'r Node<T>, path: &[&str]) -> Option<&'r T> {
        let [first, after @ ..] = path else {
            return self.end(node).or_else(|| self.end(node.rest.as_deref()?));
        };
        let literal = || node.literals.get(decode_segment(first)?.as_str());
        if !node.literals.is_empty()
            && let Some(next) = literal()
            && let Some(found) = self.descend(next, after)
        {
            return Some(found);
        }
        if !first.is_empty()
            && let Some(next) = &node.one
            && let Some(found) = self.descend(next, after)
        {
            return Some(found);
        }
        self.end(node.rest.as_deref()?)
    }

    fn end<'r, T>(&mut self, node: &'r Node<T>) -> Option<&'r T> {
        let mut best: Option<(u8, &T)> = None;
        let verb = self.verb;
        for end in node.ends.iter().filter(|end| end.verb.as_deref() == verb) {
            let rank = match &end.method {
                Some(method) if method == self.method => 2,
                Some(method) if self.method == Method::HEAD && method == Method::GET => 1,
                None => 0,
                Some(method) => {
                    self.allow(method.clone());
                    continue;
                }
            };
            if best.is_none_or(|(than, _)| rank > than) {
                best = Some((rank, &end.target));
            }
        }
        best.map(|(_, target)| target)
    }

    fn allow(&mut self, method: Method) {
        if method == Method::GET {
            self.allow(Method::HEAD);
        }
        if let Err(at) = self.allowed.binary_search_by(|other| other.as_str().cmp(method.as_str())) {
            self.allowed.insert(at, method);
        }
    }
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;

    fn router(rules: &[(Method, &'static str)]) -> Router<&'static str> {
        let mut router = Router::default();
        for (method, template) in rules {
            router.add(Some(method.clone()), &Template::parse(template).unwrap(), *template).unwrap();
        }
        router
    }

    fn gets(templates: &[&'static str]) -> Router<&'static str> {
        router(&templates.iter().map(|template| (Method::GET, *template)).collect::<Vec<_>>())
    }

    fn target<'r>(router: &'r Router<&'static str>, method: &Method, path: &str) -> Option<&'r str> {
        match router.find(method, path) {
            Found::Target(target, _) => Some(target),
            Found::OtherMethods(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn a_literal_goes_before_a_star_and_a_star_before_two() {
        let router = gets(&["/v1/orders/recent", "/v1/orders/{id}", "/v1/{name=**}", "/v1/orders/{id}/lines"]);
        for (path, expected) in [
            ("/v1/orders/recent", Some("/v1/orders/recent")),
            ("/v1/orders/%72ecent", Some("/v1/orders/recent")),
            ("/v1/orders/other", Some("/v1/orders/{id}")),
            ("/v1/orders/recent/lines", Some("/v1/orders/{id}/lines")),
            ("/v1/orders/a/b", Some("/v1/{name=**}")),
            ("/v1", Some("/v1/{name=**}")),
            ("/v2/orders", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(target(&router, &Method::GET, path), expected, "{path}");
        }
    }

    #[test]
    fn an_empty_segment_is_no_value() {
        let router = gets(&["/v1/orders/{id}"]);
        assert_eq!(router.find(&Method::GET, "/v1/orders/"), Found::Nothing);
        assert_eq!(router.find(&Method::GET, "/v1//x"), Found::Nothing);
        assert_eq!(router.find(&Method::GET, "/v1/orders/x/"), Found::Nothing);
    }

    #[test]
    fn a_verb_is_told_from_a_colon_in_a_value() {
        let router = router(&[
            (Method::GET, "/v1/orders/{id}"),
            (Method::POST, "/v1/orders/{id}:cancel"),
            (Method::GET, "/v1/orders:summary"),
            (Method::GET, "/v1/{name=files/**}:read"),
        ]);
        assert_eq!(target(&router, &Method::POST, "/v1/orders/a:b:cancel"), Some("/v1/orders/{id}:cancel"));
        assert_eq!(target(&router, &Method::GET, "/v1/orders/a:b"), Some("/v1/orders/{id}"));
        assert_eq!(target(&router, &Method::GET, "/v1/orders:summary"), Some("/v1/orders:summary"));
        assert_eq!(target(&router, &Method::GET, "/v1/files/a/b:read"), Some("/v1/{name=files/**}:read"));
        assert_eq!(target(&router, &Method::POST, "/v1/orders/a%3Acancel"), None);
        assert_eq!(router.find(&Method::GET, "/v1/orders/a:cancel"), Found::OtherMethods(vec![Method::POST]));
    }

    #[test]
    fn the_wrong_method_is_told_the_right_ones() {
        let router = router(&[
            (Method::GET, "/v1/orders"),
            (Method::POST, "/v1/orders"),
            (Method::POST, "/v1/orders/search"),
            (Method::GET, "/v1/orders/{id}"),
        ]);
        let all = vec![Method::GET, Method::HEAD, Method::POST];
        assert_eq!(router.find(&Method::DELETE, "/v1/orders"), Found::OtherMethods(all.clone()));
        assert_eq!(router.find(&Method::DELETE, "/v1/orders/search"), Found::OtherMethods(all));
        assert_eq!(target(&router, &Method::GET, "/v1/orders/search"), Some("/v1/orders/{id}"));
        assert_eq!(target(&router, &Method::HEAD, "/v1/orders"), Some("/v1/orders"));
    }

    #[test]
    fn two_targets_do_not_share_a_place() {
        let mut router = gets(&["/v1/orders/{id}"]);
        let same = Template::parse("/v1/orders/{order_id}").unwrap();
        assert_eq!(router.add(Some(Method::GET), &same, "other"), Err(&"/v1/orders/{id}"));
        assert_eq!(router.add(None, &same, "any"), Ok(()));
        assert_eq!(target(&router, &Method::PUT, "/v1/orders/x"), Some("any"));
        assert_eq!(target(&router, &Method::GET, "/v1/orders/x"), Some("/v1/orders/{id}"));
    }
}
