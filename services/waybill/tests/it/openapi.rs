//! The description of the REST API is committed, so that a review of a change sees its effect on callers.

use std::process::Command;

#[test]
fn the_committed_description_is_what_the_binary_prints() {
    let printed = Command::new(env!("CARGO_BIN_EXE_waybill")).arg("openapi").output().unwrap();
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).unwrap();
    let committed = include_str!("../../../gateway/openapi.json");
    let (mut now, mut then) = (printed.lines(), committed.lines());
    let mut number = 0;
    loop {
        number += 1;
        let (now, then) = (now.next(), then.next());
        assert_eq!(
            now, then,
            "services/gateway/openapi.json is out of date in line {number}: `just openapi` writes it"
        );
        if now.is_none() {
            break;
        }
    }
}
