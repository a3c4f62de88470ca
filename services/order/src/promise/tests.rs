use proptest::prelude::*;
use proto::fulfillment::v1::{Lane, Node, Weekday};
use types::{Day, Weekdays, WorkingDays, Zone};

use super::{
    dates::dates,
    departure::departure,
    lane::{Destination, delivery, lane},
    *,
};

const HOUR: i64 = 3_600;
const MONDAY_TO_FRIDAY: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

/// The instant at which it is `HH:MM` on a day in the zone. Zones with whole minutes only.
fn at(zone: &str, day: &str, time: &str) -> Timestamp {
    let zone = Zone::named(zone).unwrap();
    let (day, time): (Day, types::LocalTime) = (day.parse().unwrap(), time.parse().unwrap());
    let end = zone.end_of(day).unwrap();
    let back = (0..1_600).map(|minutes| end.before(Duration::from_secs(59 + 60 * minutes)));
    back.into_iter().find(|instant| zone.local(*instant) == Some((day, time))).unwrap()
}

fn end_of(zone: &str, day: &str) -> Option<Timestamp> {
    Zone::named(zone).unwrap().end_of(day.parse().unwrap())
}

fn weekdays(days: &[Weekday]) -> Vec<i32> {
    days.iter().map(|day| (*day).into()).collect()
}

fn node(zone: &str, cutoff_time: &str, handling_hours: i64) -> Node {
    Node {
        node_id: "nod_a".to_owned(),
        time_zone: zone.to_owned(),
        cutoff_time: cutoff_time.to_owned(),
        handling_time: Some(prost_types::Duration { seconds: handling_hours * HOUR, nanos: 0 }),
        ..Node::default()
    }
}

fn to(countries: &[&str], prefixes: &[&str], transit_days: i32) -> Lane {
    Lane {
        countries: countries.iter().map(|code| (*code).to_owned()).collect(),
        postal_prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
        transit_days,
        ..Lane::default()
    }
}

fn berlin() -> Destination {
    Destination::new("DE", "12 209", "Europe/Berlin")
}

#[test]
fn a_request_after_the_cutoff_leaves_on_the_next_working_day() {
    let zone = "Europe/Berlin";
    let node = Node { holidays: vec!["2026-12-25".to_owned()], ..node(zone, "14:00", 0) };
    let leaves = |day, time| departure(&node, at(zone, day, time), None);
    assert_eq!(leaves("2026-12-01", "13:59"), end_of(zone, "2026-12-01"));
    assert_eq!(leaves("2026-12-01", "14:00"), end_of(zone, "2026-12-01"));
    let soon_after = at(zone, "2026-12-01", "14:00").after(Duration::from_secs(1));
    assert_eq!(departure(&node, soon_after, None), end_of(zone, "2026-12-02"), "within the minute of the cutoff");
    assert_eq!(leaves("2026-12-01", "14:01"), end_of(zone, "2026-12-02"));
    assert_eq!(leaves("2026-12-04", "14:01"), end_of(zone, "2026-12-07"), "over the weekend");
    assert_eq!(leaves("2026-12-05", "08:00"), end_of(zone, "2026-12-07"), "on a day off");
    assert_eq!(leaves("2026-12-24", "15:00"), end_of(zone, "2026-12-28"), "over a holiday and a weekend");
}

#[test]
fn handling_beyond_the_day_of_the_request_takes_working_days() {
    let zone = "America/New_York";
    let leaves = |cutoff, hours| departure(&node(zone, cutoff, hours), at(zone, "2026-12-31", "09:00"), None);
    // 2026-12-31 is a Thursday.
    for (hours, day) in
        [(2, "2026-12-31"), (9, "2026-12-31"), (10, "2027-01-01"), (24, "2027-01-01"), (48, "2027-01-04")]
    {
        assert_eq!(leaves("15:00", hours), end_of(zone, day), "{hours}");
    }
    // Without a cutoff time the last request of a day comes at its end.
    let node = Node { working_days: weekdays(&MONDAY_TO_FRIDAY), ..node(zone, "", 2) };
    assert_eq!(departure(&node, at(zone, "2026-12-31", "09:00"), None), end_of(zone, "2027-01-01"));
}

#[test]
fn a_node_without_a_calendar_needs_its_handling_time_by_the_clock() {
    let node = node("Europe/Berlin", "", 24);
    // A Saturday.
    let request = at("Europe/Berlin", "2026-12-05", "10:00");
    let wanted = request.after(Duration::from_secs(50 * 3_600));
    assert_eq!(departure(&node, request, None), Some(request.after(Duration::from_secs(24 * 3_600))));
    assert_eq!(departure(&node, request, Some(wanted)), Some(wanted));
}

#[test]
fn what_is_wanted_later_leaves_on_a_working_day_not_before() {
    let zone = "Asia/Kolkata";
    let request = at(zone, "2028-02-28", "09:00");
    let leaves = |day| departure(&node(zone, "12:00", 0), request, Some(at(zone, day, "10:00")));
    assert_eq!(leaves("2028-02-01"), end_of(zone, "2028-02-28"));
    assert_eq!(leaves("2028-02-29"), end_of(zone, "2028-02-29"));
    assert_eq!(leaves("2028-03-04"), end_of(zone, "2028-03-06"), "a Saturday");
}

#[test]
fn the_most_specific_lane_counts_and_the_slowest_of_several() {
    let lanes = vec![
        to(&["*"], &[], 9),
        to(&["DE", "AT"], &[], 3),
        to(&["DE"], &["1", "12-2"], 1),
        to(&["DE"], &["122"], 2),
        to(&["*"], &["12209"], 0),
        to(&["GB"], &["sw1"], 4),
    ];
    let node = Node { lanes, ..Node::default() };
    let days = |country: &str, postal_code: &str| {
        lane(&node, &Destination::new(country, postal_code, "")).map(|(lane, _)| lane.transit_days)
    };
    assert_eq!(days("DE", "12 209"), Some(2), "of two with the same prefix the slower one");
    assert_eq!((days("DE", "13000"), days("DE", "99999")), (Some(1), Some(3)));
    assert_eq!((days("GB", "SW1A 1AA"), days("GB", "E1 6AN")), (Some(4), Some(9)));
    assert_eq!((days("FR", "12209"), days("US", "")), (Some(0), Some(9)));
    assert_eq!(lane(&Node::default(), &berlin()), None);
}

#[test]
fn a_delivery_is_promised_for_the_end_of_a_delivery_day_where_the_goods_go() {
    let of_berlin = node("Europe/Berlin", "14:00", 0);
    let delivers =
        |lane: &Lane, to: &Destination, left: Option<Timestamp>| delivery(&of_berlin, lane, to, left.unwrap());
    let two_days = to(&["*"], &[], 2);
    let friday = end_of("Europe/Berlin", "2026-12-04");
    assert_eq!(delivers(&two_days, &berlin(), friday), end_of("Europe/Berlin", "2026-12-08"));
    let new_york = Destination::new("US", "10001", "America/New_York");
    assert_eq!(delivers(&two_days, &new_york, friday), end_of("America/New_York", "2026-12-08"));
    let without_zone = Destination::new("US", "10001", "");
    assert_eq!(delivers(&two_days, &without_zone, friday), end_of("Europe/Berlin", "2026-12-08"));
    let saturdays = Lane { delivery_days: weekdays(&[Weekday::Saturday]), ..to(&["*"], &[], 1) };
    assert_eq!(delivers(&saturdays, &berlin(), friday), end_of("Europe/Berlin", "2026-12-05"));
    // When goods leave Berlin in the evening, that day is over on Kiritimati, and the next two do not count.
    let kiritimati = Destination::new("KI", "", "Pacific/Kiritimati");
    assert_eq!(delivers(&to(&["*"], &[], 0), &kiritimati, friday), end_of("Pacific/Kiritimati", "2026-12-07"));
}

#[test]
fn of_several_nodes_the_latest_dates_are_promised_and_none_without_every_lane() {
    let request = at("Europe/Berlin", "2026-12-01", "10:00");
    let near = Node { lanes: vec![to(&["DE"], &[], 3)], ..node("Europe/Berlin", "14:00", 0) };
    let slow =
        Node { node_id: "nod_b".to_owned(), lanes: vec![to(&["DE"], &[], 1)], ..node("Europe/Berlin", "14:00", 24) };
    let both = dates([&near, &slow].into_iter(), &berlin(), request, None);
    assert_eq!(
        (Some(both.ship), both.delivery),
        (end_of("Europe/Berlin", "2026-12-02"), end_of("Europe/Berlin", "2026-12-04"))
    );
    assert_eq!(
        both.source.text,
        "a warehouse, requests until 14:00; 3 delivery days from another warehouse to DE, day of Europe/Berlin, the ship-to's zone"
    );
    let one = dates(std::iter::once(&slow), &berlin(), request, None);
    assert_eq!(
        (Some(one.ship), one.delivery),
        (end_of("Europe/Berlin", "2026-12-02"), end_of("Europe/Berlin", "2026-12-03"))
    );
    let without = Node { node_id: "nod_c".to_owned(), lanes: Vec::new(), ..near.clone() };
    let all = dates([&near, &without, &slow].into_iter(), &berlin(), request, None);
    assert_eq!((all.ship, all.delivery), (both.ship, None));
    assert_eq!(all.source.text, "a warehouse, requests until 14:00; no lane from another warehouse");
    assert_eq!(all.source.node_ids, ["nod_b", "nod_c"]);
    let none = dates(std::iter::empty(), &berlin(), request, None);
    assert_eq!((none.ship, none.delivery), (request.after(crate::node::DEFAULT_HANDLING), None));
}

fn any_node() -> impl Strategy<Value = Node> {
    let zones = vec!["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "America/Los_Angeles"];
    let days = |least| prop::sample::subsequence((1_i32..=7).collect::<Vec<_>>(), least..=7);
    let holidays = prop::collection::vec((1_u8..=12, 1_u8..=28), 0..20);
    (prop::sample::select(zones), (0_u16..1_440), 0_i64..200, days(0), days(1), holidays, 0_i32..10).prop_map(
        |(zone, cutoff, hours, working_days, delivery_days, holidays, transit_days)| Node {
            working_days,
            holidays: holidays.into_iter().map(|(month, day)| format!("2027-{month:02}-{day:02}")).collect(),
            lanes: vec![Lane { delivery_days, ..to(&["*"], &[], transit_days) }],
            ..node(zone, &format!("{:02}:{:02}", cutoff / 60, cutoff % 60), hours)
        },
    )
}

/// Instants of 2026 to 2028.
fn any_time() -> impl Strategy<Value = Timestamp> {
    (1_780_000_000_i64..1_840_000_000).prop_map(|seconds| Timestamp::from_micros(seconds * 1_000_000))
}

proptest! {
    #[test]
    fn a_promise_is_on_a_working_day_not_too_early_and_no_later_request_gets_an_earlier_one(
        node in any_node(),
        (one, other) in (any_time(), any_time()),
        wanted in prop::option::of(any_time()),
        zone in prop::sample::select(vec!["", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
    ) {
        let to = Destination::new("DE", "", zone);
        let (first, second) = (one.min(other), one.max(other));
        let promised = |request| dates(std::iter::once(&node), &to, request, wanted);
        let (of_first, of_second) = (promised(first), promised(second));
        let works = WorkingDays::new(departure::weekdays(node.working_days()), node.holidays.iter().map(|day| day.parse().unwrap()));
        let delivers: Weekdays = departure::weekdays(node.lanes[0].delivery_days());
        for (request, dates) in [(first, &of_first), (second, &of_second)] {
            let delivered = dates.delivery.unwrap();
            let (left, _) = Zone::named(&node.time_zone).unwrap().local(dates.ship).unwrap();
            let there = if zone.is_empty() { node.time_zone.as_str() } else { zone };
            let (arrived, _) = Zone::named(there).unwrap().local(delivered).unwrap();
            prop_assert!(works.has(left), "{left}");
            prop_assert!(delivers.has(arrived.weekday()), "{arrived}");
            prop_assert!(request <= dates.ship && dates.ship <= delivered);
            prop_assert!(wanted.is_none_or(|wanted| wanted <= dates.ship));
        }
        prop_assert!(of_first.ship <= of_second.ship && of_first.delivery <= of_second.delivery);
    }
}
