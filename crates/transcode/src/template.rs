//! Path templates of `google.api.http`: `/v1/{name=orders/*}:cancel`.

use std::fmt;

/// One segment of a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A literal text.
    Literal(String),
    /// `*`: one segment that is not empty.
    One,
    /// `**`: the remaining segments, possibly none.
    Rest,
}

/// A field taken from the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Path of the field, dotted.
    pub(crate) field: String,
    /// Index of the first segment that it covers.
    pub(crate) start: usize,
    /// Index after the last segment that it covers.
    pub(crate) end: usize,
}

/// A parsed path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// The segments; variables are replaced by the segments they match.
    pub(crate) segments: Vec<Segment>,
    /// The variables, in path order.
    pub(crate) variables: Vec<Variable>,
    /// The text after the last `:`.
    pub(crate) verb: Option<String>,
}

impl Template {
    /// Parses a template; the error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix('/').ok_or("a path template begins with `/`")?;
        let mut parser = Parser { rest, template: Self { segments: Vec::new(), variables: Vec::new(), verb: None } };
        parser.segments(Within::Path)?;
        let Parser { rest, mut template } = parser;
        if let Some(verb) = rest.strip_prefix(':') {
            template.verb = Some(literal(verb).map_err(|_| format!("`{verb}` is not a verb"))?);
        } else if !rest.is_empty() {
            return Err(format!("unexpected `{rest}`"));
        }
        let last = template.segments.len() - 1;
        if template.segments.iter().position(|segment| *segment == Segment::Rest).is_some_and(|at| at != last) {
            return Err("`**` has to be the last segment".to_owned());
        }
        Ok(template)
    }

    /// The values of the variables, or `None` where the path is not percent-encoded UTF-8.
    /// `path` is the raw segments of a path this template matches, without the verb.
    pub(crate) fn capture(&self, path: &[&str]) -> Option<Vec<String>> {
        let one = |variable: &Variable| {
            let to_the_end = self.segments[variable.end - 1] == Segment::Rest;
            let end = if to_the_end { path.len() } else { variable.end };
            let raw = &path[variable.start.min(end)..end];
            match raw {
                [one] if !to_the_end && variable.end - variable.start == 1 => decode_segment(one),
                _ => decode_path(&raw.join("/")),
            }
        };
        self.variables.iter().map(one).collect()
    }
}

impl fmt::Display for Template {
    /// Writes the path without the variables' names: equal for templates that match the same paths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{}", encode_segment(text))?,
                Segment::One => f.write_str("/*")?,
                Segment::Rest => f.write_str("/**")?,
            }
        }
        self.verb.iter().try_for_each(|verb| write!(f, ":{}", encode_segment(verb)))
    }
}

/// Position of a list of segments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Path,
    Variable,
}

struct Parser<'t> {
    rest: &'t str,
    template: Template,
}

impl<'t> Parser<'t> {
    fn segments(&mut self, within: Within) -> Result<(), String> {
        loop {
            self.segment(within)?;
            match self.rest.strip_prefix('/') {
                Some(rest) => self.rest = rest,
                None => return Ok(()),
            }
        }
    }

    fn segment(&mut self, within: Within) -> Result<(), String> {
        if let Some(rest) = self.rest.strip_prefix("**") {
            self.rest = rest;
            self.template.segments.push(Segment::Rest);
        } else if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            self.template.segments.push(Segment::One);
        } else if let Some(rest) = self.rest.strip_prefix('{') {
            if within == Within::Variable {
                return Err("a variable inside a variable".to_owned());
            }
            self.rest = rest;
            self.variable()?;
        } else {
            let text = self.take_until(&['/', ':', '{', '}', '*', '=']);
            if text.is_empty() {
                return Err("an empty segment".to_owned());
            }
            self.template.segments.push(Segment::Literal(literal(text)?));
        }
        Ok(())
    }

    fn variable(&mut self) -> Result<(), String> {
        let field = self.take_until(&['=', '}', '/']).to_owned();
        let identifier = |part: &str| {
            !part.is_empty()
                && !part.starts_with(|first: char| first.is_ascii_digit())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !field.split('.').all(identifier) {
            return Err(format!("`{field}` is not a field path"));
        }
        let start = self.template.segments.len();
        if let Some(rest) = self.rest.strip_prefix('=') {
            self.rest = rest;
            self.segments(Within::Variable)?;
        } else {
            self.template.segments.push(Segment::One);
        }
        self.rest = self.rest.strip_prefix('}').ok_or_else(|| format!("`{{{field}` is not closed"))?;
        self.template.variables.push(Variable { field, start, end: self.template.segments.len() });
        Ok(())
    }

    fn take_until(&mut self, ends: &[char]) -> &'t str {
        let (taken, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }
}

/// The text of a literal, in which every byte but the unreserved ones is percent-encoded.
fn literal(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| unreserved(byte) || byte == b'%') {
        return Err(format!("`{text}` has to be percent-encoded"));
    }
    decode_segment(text).ok_or_else(|| format!("`{text}` is not percent-encoded UTF-8"))
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

/// The encoded segment of a text.
pub(crate) fn encode_segment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match unreserved(byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

/// Decodes one percent-encoded segment.
pub(crate) fn decode_segment(raw: &str) -> Option<String> {
    decode(raw, |_| true)
}

/// Decodes several percent-encoded segments; an encoded slash stays encoded, for it is not a separator.
fn decode_path(raw: &str) -> Option<String> {
    decode(raw, |byte| byte != b'/')
}

fn decode(raw: &str, wanted: impl Fn(u8) -> bool) -> Option<String> {
    if !raw.contains('%') {
        return Some(raw.to_owned());
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let ([high, low], after) = rest.split_first_chunk::<2>()?;
        let byte = hex(*high)? << 4 | hex(*low)?;
        if wanted(byte) {
            decoded.push(byte);
        } else {
            decoded.extend([b'%', *high, *low]);
        }
        rest = after;
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(template: &str, path: &[&str]) -> Vec<String> {
        Template::parse(template).unwrap().capture(path).unwrap()
    }

    #[test]
    fn a_template_is_segments_variables_and_a_verb() {
        let template = Template::parse("/v1/{name=orders/*}/lines/{line.number}:cancel").unwrap();
        assert_eq!(template.to_string(), "/v1/orders/*/lines/*:cancel");
        let fields: Vec<_> = template.variables.iter().map(|v| (v.field.as_str(), v.start, v.end)).collect();
        assert_eq!(fields, [("name", 1, 3), ("line.number", 4, 5)]);
    }

    #[test]
    fn what_the_grammar_does_not_allow_is_refused() {
        for bad in
            ["", "v1", "/", "/v1/", "/v1//x", "/v1/{", "/v1/{a", "/v1/{a=}", "/v1/{a={b}}", "/v1/**/x", "/v1/{1a}"]
        {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
        for bad in ["/v1/{a=**}/b", "/v1:", "/v1:a:b", "/v1/a{b}", "/v1/{a.}", "/v1/a}b"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_variable_of_one_segment_is_decoded_and_one_of_several_keeps_its_encoded_slashes() {
        assert_eq!(captured("/v1/{sku}", &["v1", "A%2FB%20C"]), ["A/B C"]);
        assert_eq!(captured("/v1/{sku=*}", &["v1", "A%2FB"]), ["A/B"]);
        assert_eq!(captured("/v1/{name=items/*}", &["v1", "items", "A%2FB%20C"]), ["items/A%2FB C"]);
        assert_eq!(captured("/v1/{name=**}", &["v1", "a%2fb", "c%25"]), ["a%2fb/c%"]);
        assert_eq!(captured("/v1/{name=**}", &["v1", "a%2fb"]), ["a%2fb"]);
        assert_eq!(captured("/v1/{name=files/**}", &["v1", "files"]), ["files"]);
        assert_eq!(captured("/v1/{name=**}", &["v1"]), [""]);
    }

    #[test]
    fn what_is_not_percent_encoded_utf8_has_no_value() {
        let template = Template::parse("/v1/{sku}").unwrap();
        for bad in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(template.capture(&["v1", bad]), None, "{bad}");
        }
    }
}
