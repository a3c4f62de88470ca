//! JSON of the well-known types that is accepted.

use super::{Case, case, changed};

/// Well-known types by themselves.
pub(super) const KNOWN: &[Case] = &[
    case("OptionalBoolWrapper", r#"{"boolValue": false}"#, "bool_value {}"),
    case("OptionalInt32Wrapper", r#"{"int32Value": 0}"#, "int32_value {}"),
    case("OptionalUint32Wrapper", r#"{"uint32Value": 0}"#, "uint32_value {}"),
    changed("OptionalInt64Wrapper", r#"{"int64Value": 0}"#, "int64_value {}", r#"{"int64Value": "0"}"#),
    changed("OptionalUint64Wrapper", r#"{"uint64Value": 0}"#, "uint64_value {}", r#"{"uint64Value": "0"}"#),
    case("OptionalFloatWrapper", r#"{"floatValue": 0.0}"#, "float_value {}"),
    case("OptionalDoubleWrapper", r#"{"doubleValue": 0.0}"#, "double_value {}"),
    case("OptionalStringWrapper", r#"{"stringValue": ""}"#, "string_value {}"),
    case("OptionalBytesWrapper", r#"{"bytesValue": ""}"#, "bytes_value {}"),
    case(
        "OptionalWrapperTypesWithNonDefaultValue",
        r#"{"boolValue": true, "int32Value": 1, "uint32Value": 1, "int64Value": "1", "uint64Value": "1",
            "floatValue": 1.0, "doubleValue": 1.0, "stringValue": "1", "bytesValue": "AQI="}"#,
        r#"bool_value {value: true} int32_value {value: 1} uint32_value {value: 1} int64_value {value: 1}
           uint64_value {value: 1} float_value {value: 1} double_value {value: 1} string_value {value: "1"}
           bytes_value {value: "\x01\x02"}"#,
    ),
    case("DoubleWrapperNan", r#"{"doubleValue": "NaN"}"#, "double_value {value: nan}"),
    case("FloatWrapperInfinity", r#"{"floatValue": "-Infinity"}"#, "float_value {value: -inf}"),
    case("RepeatedInt64Wrapper", r#"{"int64Values": ["0", "1"]}"#, "int64_values {} int64_values {value: 1}"),
    case(
        "RepeatedBytesWrapper",
        r#"{"bytesValues": ["", "AQI="]}"#,
        r#"bytes_values {} bytes_values {value: "\x01\x02"}"#,
    ),
    case(
        "MapOfWrapper",
        r#"{"doubleValuesByString": {"a": "NaN"}}"#,
        r#"double_values_by_string {key: "a" value {value: nan}}"#,
    ),
    case(
        "DurationMinValue",
        r#"{"duration": "-315576000000.999999999s"}"#,
        "duration {seconds: -315576000000 nanos: -999999999}",
    ),
    case(
        "DurationMaxValue",
        r#"{"duration": "315576000000.999999999s"}"#,
        "duration {seconds: 315576000000 nanos: 999999999}",
    ),
    changed(
        "DurationRepeatedValue",
        r#"{"durations": ["1.5s", "-1.5s"]}"#,
        "durations {seconds: 1 nanos: 500000000} durations {seconds: -1 nanos: -500000000}",
        r#"{"durations": ["1.500s", "-1.500s"]}"#,
    ),
    changed(
        "DurationNegativeBelowOneSecond",
        r#"{"duration": "-0.5s"}"#,
        "duration {nanos: -500000000}",
        r#"{"duration": "-0.500s"}"#,
    ),
    changed(
        "DurationHasZeroFractionalDigit",
        r#"{"duration": "1.000000000s"}"#,
        "duration {seconds: 1}",
        r#"{"duration": "1s"}"#,
    ),
    changed(
        "DurationHas3FractionalDigits",
        r#"{"duration": "1.010000000s"}"#,
        "duration {seconds: 1 nanos: 10000000}",
        r#"{"duration": "1.010s"}"#,
    ),
    changed(
        "DurationHas6FractionalDigits",
        r#"{"duration": "1.000010000s"}"#,
        "duration {seconds: 1 nanos: 10000}",
        r#"{"duration": "1.000010s"}"#,
    ),
    case("DurationHas9FractionalDigits", r#"{"duration": "1.000000010s"}"#, "duration {seconds: 1 nanos: 10}"),
    case("TimestampMinValue", r#"{"time": "0001-01-01T00:00:00Z"}"#, "time {seconds: -62135596800}"),
    case(
        "TimestampMaxValue",
        r#"{"time": "9999-12-31T23:59:59.999999999Z"}"#,
        "time {seconds: 253402300799 nanos: 999999999}",
    ),
    case(
        "TimestampRepeatedValue",
        r#"{"times": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"]}"#,
        "times {seconds: -62135596800} times {seconds: 253402300799 nanos: 999999999}",
    ),
    changed(
        "TimestampLeap",
        r#"{"time": "1993-02-10T00:00:00.000Z"}"#,
        "time {seconds: 729302400}",
        r#"{"time": "1993-02-10T00:00:00Z"}"#,
    ),
    changed(
        "TimestampWithPositiveOffset",
        r#"{"time": "1970-01-01T08:00:01+08:00"}"#,
        "time {seconds: 1}",
        r#"{"time": "1970-01-01T00:00:01Z"}"#,
    ),
    changed(
        "TimestampWithNegativeOffset",
        r#"{"time": "1969-12-31T16:00:01-08:00"}"#,
        "time {seconds: 1}",
        r#"{"time": "1970-01-01T00:00:01Z"}"#,
    ),
    changed(
        "TimestampZeroNormalized",
        r#"{"time": "1969-12-31T16:00:00-08:00"}"#,
        "time {}",
        r#"{"time": "1970-01-01T00:00:00Z"}"#,
    ),
    changed(
        "TimestampHasZeroFractionalDigit",
        r#"{"time": "1970-01-01T00:00:00.000000000Z"}"#,
        "time {}",
        r#"{"time": "1970-01-01T00:00:00Z"}"#,
    ),
    changed(
        "TimestampHas3FractionalDigits",
        r#"{"time": "1970-01-01T00:00:00.010000000Z"}"#,
        "time {nanos: 10000000}",
        r#"{"time": "1970-01-01T00:00:00.010Z"}"#,
    ),
    changed(
        "TimestampHas6FractionalDigits",
        r#"{"time": "1970-01-01T00:00:00.000010000Z"}"#,
        "time {nanos: 10000}",
        r#"{"time": "1970-01-01T00:00:00.000010Z"}"#,
    ),
    case("TimestampHas9FractionalDigits", r#"{"time": "1970-01-01T00:00:00.000000010Z"}"#, "time {nanos: 10}"),
    case("TimestampBeforeTheEpoch", r#"{"time": "1969-12-31T23:59:59.500Z"}"#, "time {seconds: -1 nanos: 500000000}"),
    case("FieldMask", r#"{"mask": "foo,barBaz"}"#, r#"mask {paths: "foo" paths: "bar_baz"}"#),
    case("FieldMaskNested", r#"{"mask": "fooBar.bazQux"}"#, r#"mask {paths: "foo_bar.baz_qux"}"#),
    case("EmptyFieldMask", r#"{"mask": ""}"#, "mask {}"),
    case(
        "Struct",
        r#"{"object": {"nullValue": null, "intValue": 1234.0, "boolValue": true, "doubleValue": 1234.5678,
            "stringValue": "Hello world!", "listValue": [1234.0, "5678"], "objectValue": {"value": 0.0}}}"#,
        r#"object {
             fields {key: "boolValue" value {bool_value: true}}
             fields {key: "doubleValue" value {number_value: 1234.5678}}
             fields {key: "intValue" value {number_value: 1234}}
             fields {key: "listValue" value {list_value {values {number_value: 1234} values {string_value: "5678"}}}}
             fields {key: "nullValue" value {null_value: NULL_VALUE}}
             fields {key: "objectValue" value {struct_value {fields {key: "value" value {number_value: 0}}}}}
             fields {key: "stringValue" value {string_value: "Hello world!"}}
           }"#,
    ),
    case(
        "StructWithEmptyListValue",
        r#"{"object": {"listValue": []}}"#,
        r#"object {fields {key: "listValue" value {list_value {}}}}"#,
    ),
    changed("ValueAcceptInteger", r#"{"value": 1}"#, "value {number_value: 1}", r#"{"value": 1.0}"#),
    case("ValueAcceptFloat", r#"{"value": 1.5}"#, "value {number_value: 1.5}"),
    case("ValueAcceptBool", r#"{"value": false}"#, "value {bool_value: false}"),
    case("ValueAcceptString", r#"{"value": "hello"}"#, r#"value {string_value: "hello"}"#),
    case(
        "ValueAcceptList",
        r#"{"value": [0.0, "hello"]}"#,
        r#"value {list_value {values {number_value: 0} values {string_value: "hello"}}}"#,
    ),
    case(
        "ValueAcceptObject",
        r#"{"value": {"value": 1.0}}"#,
        r#"value {struct_value {fields {key: "value" value {number_value: 1}}}}"#,
    ),
    case("RepeatedValue", r#"{"values": [["a"]]}"#, r#"values {list_value {values {string_value: "a"}}}"#),
    case("RepeatedListValue", r#"{"lists": [["a"]]}"#, r#"lists {values {string_value: "a"}}"#),
    case("ListValue", r#"{"list": [null, []]}"#, "list {values {null_value: NULL_VALUE} values {list_value {}}}"),
    case("Empty", r#"{"empty": {}}"#, "empty {}"),
];

/// Messages in an `Any`.
pub(super) const ANY: &[Case] = &[
    case(
        "Any",
        r#"{"any": {"@type": "type.googleapis.com/depot.v1.Line", "sku": "a", "quantity": "12345"}}"#,
        r#"any {[type.googleapis.com/depot.v1.Line] {sku: "a" quantity: 12345}}"#,
    ),
    case("AnyWithNoType", r#"{"any": {}}"#, "any {}"),
    changed(
        "AnyUnorderedTypeTag",
        r#"{"any": {"sku": "a", "@type": "type.googleapis.com/depot.v1.Line"}}"#,
        r#"any {[type.googleapis.com/depot.v1.Line] {sku: "a"}}"#,
        r#"{"any": {"@type": "type.googleapis.com/depot.v1.Line", "sku": "a", "quantity": "0"}}"#,
    ),
    case(
        "AnyNested",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Any",
            "value": {"@type": "type.googleapis.com/depot.v1.Line", "sku": "a", "quantity": "0"}}}"#,
        r#"any {[type.googleapis.com/google.protobuf.Any] {[type.googleapis.com/depot.v1.Line] {sku: "a"}}}"#,
    ),
    case(
        "AnyWithInt32ValueWrapper",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Int32Value", "value": 12345}}"#,
        "any {[type.googleapis.com/google.protobuf.Int32Value] {value: 12345}}",
    ),
    case(
        "AnyWithDoubleValueNan",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.DoubleValue", "value": "NaN"}}"#,
        "any {[type.googleapis.com/google.protobuf.DoubleValue] {value: nan}}",
    ),
    changed(
        "AnyWithDuration",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.5s"}}"#,
        "any {[type.googleapis.com/google.protobuf.Duration] {seconds: 1 nanos: 500000000}}",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.500s"}}"#,
    ),
    case(
        "AnyWithTimestamp",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Timestamp", "value": "1970-01-01T00:00:00Z"}}"#,
        "any {[type.googleapis.com/google.protobuf.Timestamp] {}}",
    ),
    case(
        "AnyWithFieldMask",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.FieldMask", "value": "foo,barBaz"}}"#,
        r#"any {[type.googleapis.com/google.protobuf.FieldMask] {paths: "foo" paths: "bar_baz"}}"#,
    ),
    case(
        "AnyWithStruct",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"foo": 1.0}}}"#,
        r#"any {[type.googleapis.com/google.protobuf.Struct] {fields {key: "foo" value {number_value: 1}}}}"#,
    ),
    case(
        "AnyWithValueForJsonObject",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Value", "value": {"foo": 1.0}}}"#,
        r#"any {[type.googleapis.com/google.protobuf.Value] {struct_value {fields {key: "foo" value {number_value: 1}}}}}"#,
    ),
    changed(
        "AnyWithValueForInteger",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Value", "value": 1}}"#,
        "any {[type.googleapis.com/google.protobuf.Value] {number_value: 1}}",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Value", "value": 1.0}}"#,
    ),
    case(
        "AnyWithEmpty",
        r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Empty", "value": {}}}"#,
        "any {[type.googleapis.com/google.protobuf.Empty] {}}",
    ),
    changed(
        "AnyWithQuotedExponent",
        r#"{"any": {"@type": "type.googleapis.com/depot.v1.Line", "quantity": "1e3"}}"#,
        "any {[type.googleapis.com/depot.v1.Line] {quantity: 1000}}",
        r#"{"any": {"@type": "type.googleapis.com/depot.v1.Line", "sku": "", "quantity": "1000"}}"#,
    ),
    case(
        "AnyRepeated",
        r#"{"anys": [{"@type": "type.googleapis.com/google.protobuf.BoolValue", "value": true}, {}]}"#,
        "anys {[type.googleapis.com/google.protobuf.BoolValue] {value: true}} anys {}",
    ),
];
