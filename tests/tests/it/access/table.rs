//! The table of the methods that each kind of caller may call.

use mesh::{Accounts, Kind, Principal, Role};
use tonic::Code;
use waybill_e2e::{World, each};

use super::calls;

/// The committed table.
const TABLE: &str = include_str!("table.md");

/// Every kind of caller.
fn callers() -> Vec<(&'static str, Principal)> {
    let of = |kind: Kind, role: Role| Principal {
        kind,
        subject: "caller".to_owned(),
        roles: role.into(),
        accounts: Accounts::All,
        partner: None,
        key: None,
    };
    let customer =
        Principal { accounts: Accounts::Only(vec!["acc_some".parse().unwrap()]), ..of(Kind::Person, Role::Customer) };
    let staff = [Role::CustomerService, Role::Operations, Role::Application].into_iter().collect();
    let some_accounts = Principal { roles: staff, ..customer.clone() };
    let partner = Principal {
        accounts: Accounts::Only(Vec::new()),
        partner: Some("par_some".parse().unwrap()),
        ..of(Kind::Partner, Role::Partner)
    };
    vec![
        ("anonymous", Principal::anonymous()),
        ("customer", customer),
        ("customer service", of(Kind::Person, Role::CustomerService)),
        ("operations", of(Kind::Person, Role::Operations)),
        ("staff of some accounts", some_accounts),
        ("partner", partner),
        ("application", of(Kind::Application, Role::Application)),
        ("service", Principal::service("some")),
        ("administrator", Principal::local_administrator()),
    ]
}

/// Whether the stack admits a caller with an empty request.
async fn cell(world: &World, caller: &Principal, method: &prost_reflect::MethodDescriptor) -> &'static str {
    let mut cells = Vec::new();
    for channel in calls::channels(world, method) {
        let answer = calls::raw(&channel, caller, method, Vec::new()).await;
        cells.push(match answer.map_err(|status| status.code()) {
            Err(Code::Unauthenticated) => "sign in",
            Err(Code::PermissionDenied) => "no",
            Err(code @ (Code::Unimplemented | Code::Internal | Code::Unknown | Code::Unavailable)) => {
                panic!("{} is not answered: {code}", method.full_name())
            }
            Ok(_) | Err(_) => "yes",
        });
    }
    assert!(cells.iter().all(|cell| *cell == cells[0]), "{}: {cells:?}", method.full_name());
    cells[0]
}

/// The table as the stack answers.
async fn found(world: &World) -> String {
    let callers = callers();
    let names: Vec<_> = callers.iter().map(|(name, _)| *name).collect();
    let mut table = format!("| method | scope | {} |\n|---|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for method in calls::methods() {
        let mut row = Vec::new();
        for (_, caller) in &callers {
            row.push(cell(world, caller, &method).await);
        }
        let name = format!("{}/{}", method.parent_service().full_name(), method.name());
        let scope = calls::scope(&method).trim_start_matches("SCOPE_").to_ascii_lowercase();
        table.push_str(&format!("| {name} | {scope} | {} |\n", row.join(" | ")));
    }
    table
}

#[tokio::test]
async fn every_method_admits_exactly_those_in_the_table() {
    each(|world| async move {
        let found = found(&world).await;
        let committed = TABLE.split_once("| method").map_or(String::new(), |(_, rows)| format!("| method{rows}"));
        let differ = found.lines().filter(|row| !committed.contains(row)).count();
        assert!(found == committed, "{differ} rows differ; access/table.md should have:\n{found}");
    })
    .await;
}
