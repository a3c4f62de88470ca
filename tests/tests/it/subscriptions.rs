//! Compares the table of subscriptions in `ARCHITECTURE.md` with those of the mesh.

use waybill_e2e::{World, each};

const ARCHITECTURE: &str = include_str!("../../../ARCHITECTURE.md");

/// Around the table.
const MARKS: (&str, &str) = ("<!-- subscriptions -->\n", "<!-- end of subscriptions -->");

/// The table as the mesh has it.
fn table(world: &World) -> String {
    let mut rows: Vec<String> = world
        .mesh
        .workers
        .iter()
        .flat_map(|(_, workers)| workers.subscriptions())
        .map(|subscription| {
            let types: Vec<_> = subscription.event_types.iter().map(|event| format!("`{event}`")).collect();
            let types = if types.is_empty() { "every event".to_owned() } else { types.join(", ") };
            format!("| `{}` | {} | {types} |\n", subscription.name, subscription.source)
        })
        .collect();
    rows.sort();
    format!("| subscription | log | reacts to |\n|---|---|---|\n{}", rows.concat())
}

#[tokio::test]
async fn the_table_of_subscriptions_is_what_the_mesh_follows() {
    each(|world| async move {
        let (_, rest) = ARCHITECTURE.split_once(MARKS.0).unwrap();
        let (committed, _) = rest.split_once(MARKS.1).unwrap();
        let found = table(&world);
        assert!(committed == found, "ARCHITECTURE.md should have between its marks:\n{found}");
    })
    .await;
}
