//! Messages and the JSON that is written for them, in protobuf's text format; `None` has no JSON form.

/// Name, message and the answered fields.
pub(super) const CASES: &[(&str, &str, Option<&str>)] = &[
    ("TimestampProtoInputTooSmall", "time {seconds: -62135596801}", None),
    ("TimestampProtoInputTooLarge", "time {seconds: 253402300800}", None),
    ("TimestampProtoNanoTooLarge", "time {seconds: 0 nanos: 1000000000}", None),
    ("TimestampProtoNegativeNanos", "time {seconds: 0 nanos: -1}", None),
    ("DurationProtoInputTooSmall", "duration {seconds: -315576000001}", None),
    ("DurationProtoInputTooLarge", "duration {seconds: 315576000001}", None),
    ("DurationProtoNanosTooSmall", "duration {nanos: -1000000000}", None),
    ("DurationProtoNanosTooLarge", "duration {nanos: 1000000000}", None),
    ("DurationProtoNanosWrongSign", "duration {seconds: 1 nanos: -1}", None),
    ("DurationProtoNanosWrongSignNegativeSecs", "duration {seconds: -1 nanos: 1}", None),
    ("DurationNegativeNanos", "duration {nanos: -500000000}", Some(r#"{"duration": "-0.500s"}"#)),
    ("ValueRejectNanNumberValue", "value {number_value: nan}", None),
    ("ValueRejectInfNumberValue", "value {number_value: inf}", None),
    ("ValueWithoutKind", "value {}", Some(r#"{"value": null}"#)),
    ("FloatFieldNormalizeQuietNan", "a_float: nan", Some(r#"{"aFloat": "NaN"}"#)),
    ("EnumFieldUnknownValue", "material: 123", Some(r#"{"material": 123}"#)),
    ("EnumFieldAliasIsWrittenByItsFirstName", "fill: FILL_ALL", Some(r#"{"fill": "FILL_FULL"}"#)),
    // The suite only recommends to refuse these. People read masks, so an answer shows them as they are.
    ("FieldMaskPathsDontRoundTrip", r#"mask {paths: "fooBar"}"#, Some(r#"{"mask": "fooBar"}"#)),
    ("FieldMaskNumbersDontRoundTrip", r#"mask {paths: "foo_3_bar"}"#, Some(r#"{"mask": "foo_3_bar"}"#)),
    ("FieldMaskTooManyUnderscore", r#"mask {paths: "foo__bar"}"#, Some(r#"{"mask": "foo__bar"}"#)),
    // So that an unknown detail of an error cannot hide the error.
    (
        "AnyOfUnknownTypeIsBase64",
        r#"any {type_url: "type.googleapis.com/nobody.Knows" value: "\x08\x01"}"#,
        Some(r#"{"any": {"@type": "type.googleapis.com/nobody.Knows", "value": "CAE="}}"#),
    ),
    (
        "AnyThatIsNotItsTypeIsBase64",
        r#"any {type_url: "type.googleapis.com/depot.v1.Line" value: "\x0a\x05"}"#,
        Some(r#"{"any": {"@type": "type.googleapis.com/depot.v1.Line", "value": "CgU="}}"#),
    ),
    (
        "AnyWithEmpty",
        r#"any {type_url: "type.googleapis.com/google.protobuf.Empty"}"#,
        Some(r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Empty", "value": {}}}"#),
    ),
    ("Proto2DefaultsAreNotWritten", "legacy {}", Some(r#"{"legacy": {"item": [], "unpacked": []}}"#)),
    (
        "Proto2Groups",
        r#"legacy {count: 0 Old {inside: 1 strings: "a" nested {name: ""}} Item {number: -1} Item {}}"#,
        Some(
            r#"{"legacy": {"count": 0, "old": {"inside": 1, "strings": ["a"],
                "nested": {"name": "", "item": [], "unpacked": []}}, "item": [{"number": "-1"}, {}], "unpacked": []}}"#,
        ),
    ),
    ("ExtensionsAreLeftOut", r#"legacy {[depot.v1.extra]: "x"}"#, Some(r#"{"legacy": {"item": [], "unpacked": []}}"#)),
];
