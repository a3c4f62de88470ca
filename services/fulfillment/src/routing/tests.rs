use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, option, prelude::*, sample::select};
use types::{NodeId, Timestamp};

use super::*;
use crate::node::{HandlingClasses, NodeState, ServiceArea, ServiceAreas};

fn node(name: &str, rank: i32) -> Node {
    Node {
        node_id: format!("nod_{name}").parse().unwrap(),
        name: name.to_owned(),
        partner_id: "par_1".parse().unwrap(),
        country: "DE".to_owned(),
        time_zone: "UTC".to_owned(),
        cutoff_time: None,
        working_days: store::Proto::default(),
        holidays: store::Proto::default(),
        lanes: store::Proto::default(),
        handling_classes: HandlingClasses(vec![HandlingClass::Ambient]),
        service_areas: ServiceAreas(vec![ServiceArea { countries: vec!["DE".to_owned()], rank }]),
        accept_within_micros: None,
        handling_micros: 0,
        state: NodeState::Active,
        create_time: Timestamp::default(),
        update_time: Timestamp::default(),
        version: 1,
    }
}

fn line(line_number: i64, sku: &str, quantity: i64) -> RequestedLine {
    RequestedLine { line_number, sku: sku.to_owned(), handling_class: HandlingClass::Ambient, quantity }
}

fn stock(levels: &[(&str, &str, i64)]) -> Stock {
    let level = |(sku, name, quantity): &(&str, &str, i64)| {
        (((*sku).to_owned(), format!("nod_{name}").parse().unwrap()), *quantity)
    };
    levels.iter().map(level).collect()
}

fn decide(lines: &[RequestedLine], nodes: &[Node], stock: &Stock) -> Plan {
    route(&RoutingRequest { country: "DE", lines, nodes, stock, exclusions: &Exclusions::default() })
}

fn chosen(plan: &Plan) -> Vec<(i64, &str, i64, ChoiceReason)> {
    use types::Id as _;
    plan.choices
        .iter()
        .map(|choice| (choice.line_number, choice.node_id.as_str(), choice.quantity, choice.reason))
        .collect()
}

#[test]
fn one_node_that_has_everything_is_preferred_to_better_ones_that_do_not() {
    let nodes = [node("near", 0), node("far", 5)];
    let stock = stock(&[("A", "near", 10), ("A", "far", 10), ("B", "far", 10)]);
    let plan = decide(&[line(1, "A", 5), line(2, "B", 5)], &nodes, &stock);
    assert_eq!(
        chosen(&plan),
        [(1, "nod_far", 5, ChoiceReason::WholeOrder), (2, "nod_far", 5, ChoiceReason::WholeOrder)]
    );
}

#[test]
fn what_is_beyond_the_most_choices_of_a_plan_is_left_for_another_one() {
    let nodes = [node("one", 0), node("two", 1)];
    let stock = stock(&[("A", "one", 2), ("A", "two", 2), ("B", "one", 3), ("B", "two", 2)]);
    let lines = [line(1, "A", 4), line(2, "B", 6)];
    let mut plan = decide(&lines, &nodes, &stock);
    let whole = plan.clone();
    plan.cap(4, &lines);
    assert_eq!(plan, whole, "there are four choices");
    plan.cap(1, &lines);
    assert_eq!(chosen(&plan), [(1, "nod_one", 2, ChoiceReason::BestRank)]);
    assert_eq!(plan.unrouted, [line(1, "A", 2), line(2, "B", 6)]);
}

#[test]
fn lines_of_one_item_are_counted_together() {
    let nodes = [node("one", 0), node("two", 1)];
    let stock = stock(&[("A", "one", 6), ("A", "two", 10)]);
    let plan = decide(&[line(1, "A", 5), line(2, "A", 5)], &nodes, &stock);
    assert_eq!(
        chosen(&plan),
        [(1, "nod_two", 5, ChoiceReason::WholeOrder), (2, "nod_two", 5, ChoiceReason::WholeOrder)]
    );
}

#[test]
fn a_line_no_single_node_has_is_split() {
    let nodes = [node("a", 0), node("b", 0), node("c", 1)];
    let stock = stock(&[("A", "a", 3), ("A", "b", 4), ("A", "c", 2)]);
    let plan = decide(&[line(1, "A", 10)], &nodes, &stock);
    let expected = [
        (1, "nod_b", 4, ChoiceReason::MostStock),
        (1, "nod_a", 3, ChoiceReason::BestRank),
        (1, "nod_c", 2, ChoiceReason::BestRank),
    ];
    assert_eq!(chosen(&plan), expected);
    assert_eq!(plan.unrouted, [line(1, "A", 1)]);
}

#[test]
fn every_node_that_is_passed_over_says_why() {
    let mut nodes =
        [node("ok", 0), node("asleep", 0), node("warm", 0), node("abroad", 0), node("no", 0), node("empty", 0)];
    nodes[1].state = NodeState::Paused;
    nodes[2].handling_classes = HandlingClasses(vec![HandlingClass::Frozen]);
    nodes[3].service_areas = ServiceAreas(vec![ServiceArea { countries: vec!["US".to_owned()], rank: 0 }]);
    let names = ["ok", "asleep", "warm", "abroad", "no"];
    let stock: Stock = names.iter().flat_map(|name| stock(&[("A", name, 9)])).collect();
    let exclusions = Exclusions([("nod_no".parse().unwrap(), None)].into());
    let lines = [line(1, "A", 5)];
    let plan =
        route(&RoutingRequest { country: "DE", lines: &lines, nodes: &nodes, stock: &stock, exclusions: &exclusions });
    let obstacles: Vec<_> = plan.candidates.iter().map(|candidate| candidate.obstacle.map(Obstacle::as_str)).collect();
    let expected =
        [None, Some("PAUSED"), Some("HANDLING_CLASS"), Some("SERVICE_AREA"), Some("EXCLUDED"), Some("NO_STOCK")];
    assert_eq!(obstacles, expected);
    assert_eq!(chosen(&plan), [(1, "nod_ok", 5, ChoiceReason::WholeOrder)]);
}

const SKUS: [&str; 3] = ["A", "B", "C"];

#[derive(Debug, Clone)]
struct Case {
    lines: Vec<RequestedLine>,
    nodes: Vec<Node>,
    stock: Stock,
    exclusions: Exclusions,
}

fn cases() -> impl Strategy<Value = Case> {
    let class = select(HandlingClass::ALL);
    let classes = [class.clone(), class.clone(), class.clone()];
    let nodes = vec((vec(class, 1..4), option::of(0..3_i32), any::<bool>()), 0..5);
    let lines = vec((0..3_usize, 1..12_i64), 1..6);
    let levels = vec(0..12_i64, 15);
    let exclusions = vec((0..5_usize, option::of(0..3_usize)), 0..4);
    (classes, nodes, lines, levels, exclusions).prop_map(|(classes, nodes, lines, levels, exclusions)| {
        let id = |at: usize| -> NodeId { format!("nod_{at}").parse().unwrap() };
        let nodes = nodes.into_iter().enumerate().map(|(at, (keeps, rank, active))| {
            let country = if rank.is_some() { "DE" } else { "US" };
            Node {
                handling_classes: HandlingClasses(keeps),
                service_areas: ServiceAreas(vec![ServiceArea {
                    countries: vec![country.to_owned()],
                    rank: rank.unwrap_or(0),
                }]),
                state: if active { NodeState::Active } else { NodeState::Paused },
                ..node(&at.to_string(), 0)
            }
        });
        let nodes: Vec<_> = nodes.collect();
        let lines = lines.into_iter().zip(1..).map(|((sku, quantity), line_number)| RequestedLine {
            line_number,
            sku: SKUS[sku].to_owned(),
            handling_class: classes[sku],
            quantity,
        });
        let stock = levels.into_iter().enumerate().map(|(at, level)| ((SKUS[at % 3].to_owned(), id(at / 3)), level));
        let exclusions =
            exclusions.into_iter().map(|(at, sku)| (id(at), sku.map(|sku: usize| SKUS[sku].to_owned()))).collect();
        Case { lines: lines.collect(), nodes, stock: stock.collect(), exclusions: Exclusions(exclusions) }
    })
}

impl Case {
    fn route(&self) -> Plan {
        let Self { lines, nodes, stock, exclusions } = self;
        route(&RoutingRequest { country: "DE", lines, nodes, stock, exclusions })
    }

    fn line(&self, line_number: i64) -> &RequestedLine {
        self.lines.iter().find(|line| line.line_number == line_number).unwrap()
    }

    fn may(&self, node: &Node, line: &RequestedLine) -> bool {
        node.state == NodeState::Active
            && node.handling_classes.0.contains(&line.handling_class)
            && node.rank("DE").is_some()
            && !self.exclusions.excludes(&node.node_id, &line.sku)
    }
}

proptest! {
    #[test]
    fn no_unit_is_lost_or_made(case in cases()) {
        let plan = case.route();
        for line in &case.lines {
            let chosen: i64 = plan.choices.iter().filter(|c| c.line_number == line.line_number).map(|c| c.quantity).sum();
            let left: i64 = plan.unrouted.iter().filter(|l| l.line_number == line.line_number).map(|l| l.quantity).sum();
            prop_assert_eq!(chosen + left, line.quantity);
        }
        prop_assert!(plan.choices.iter().all(|choice| choice.quantity > 0));
    }

    #[test]
    fn no_node_is_given_more_than_it_has(case in cases()) {
        let mut given: BTreeMap<(String, NodeId), i64> = BTreeMap::new();
        for choice in case.route().choices {
            *given.entry((case.line(choice.line_number).sku.clone(), choice.node_id)).or_default() += choice.quantity;
        }
        for (place, quantity) in given {
            prop_assert!(quantity <= case.stock.get(&place).copied().unwrap_or(0));
        }
    }

    #[test]
    fn no_hard_constraint_is_bent(case in cases()) {
        for choice in case.route().choices {
            let node = case.nodes.iter().find(|node| node.node_id == choice.node_id).unwrap();
            prop_assert!(case.may(node, case.line(choice.line_number)));
        }
    }

    #[test]
    fn everything_that_can_be_routed_is(case in cases()) {
        let plan = case.route();
        for sku in SKUS {
            let of = |lines: &[RequestedLine]| lines.iter().filter(|line| line.sku == sku).map(|line| line.quantity).sum::<i64>();
            let Some(line) = case.lines.iter().find(|line| line.sku == sku) else { continue };
            let there: i64 = case.nodes.iter().filter(|node| case.may(node, line))
                .map(|node| case.stock[&(sku.to_owned(), node.node_id.clone())]).sum();
            prop_assert_eq!(of(&plan.unrouted), (of(&case.lines) - there).max(0));
        }
    }

    #[test]
    fn one_node_is_used_when_one_can_take_all(case in cases()) {
        let has_all = |node: &&Node| SKUS.iter().all(|sku| {
            let requested: i64 = case.lines.iter().filter(|line| line.sku == *sku).map(|line| line.quantity).sum();
            requested <= case.stock[&((*sku).to_owned(), node.node_id.clone())]
        });
        let able: Vec<_> = case.nodes.iter().filter(has_all).filter(|node| case.lines.iter().all(|line| case.may(node, line))).collect();
        let best = able.iter().filter_map(|node| node.rank("DE")).min();
        if let Some(best) = best {
            let plan = case.route();
            let used: BTreeSet<_> = plan.choices.iter().map(|choice| &choice.node_id).collect();
            prop_assert_eq!(used.len(), 1);
            let node = case.nodes.iter().find(|node| used.contains(&node.node_id)).unwrap();
            prop_assert_eq!(node.rank("DE"), Some(best));
        }
    }
}
