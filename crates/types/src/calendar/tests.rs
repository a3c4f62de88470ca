use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000;

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// An instant in UTC.
fn utc(text: &str) -> Timestamp {
    Timestamp::from_micros(text.parse::<Instant>().unwrap().as_microsecond())
}

#[test]
fn only_zones_of_the_database_are_zones() {
    for name in ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "UTC"] {
        assert!(Zone::named(name).is_some(), "{name}");
    }
    for name in ["", "Europe/Bonn", "Berlin", "../UTC"] {
        assert_eq!(Zone::named(name), None, "{name}");
    }
}

#[test]
fn days_and_times_have_one_form() {
    assert_eq!(
        (day("2028-02-29").to_string(), day("2026-12-01").weekday()),
        ("2028-02-29".to_owned(), Weekday::Tuesday)
    );
    for wrong in ["", "2026-02-29", "2026-2-03", "26-02-03", "2026-13-01", "2026-01-01T00", "+026-01-01", "0000-01-01"]
    {
        assert!(wrong.parse::<Day>().is_err(), "{wrong}");
    }
    let time: LocalTime = "14:05".parse().unwrap();
    assert_eq!((time.minutes(), time.to_string()), (14 * 60 + 5, "14:05".to_owned()));
    for wrong in ["", "24:00", "9:00", "12:60", "12:00:00", "-1:00", "1200"] {
        assert!(wrong.parse::<LocalTime>().is_err(), "{wrong}");
    }
}

#[test]
fn the_same_instant_is_another_day_elsewhere() {
    let instant = utc("2026-12-31T23:30:00Z");
    let local = |name: &str| zone(name).local(instant).map(|(day, time)| format!("{day} {time}")).unwrap();
    assert_eq!(local("America/New_York"), "2026-12-31 18:30");
    assert_eq!(local("Europe/Berlin"), "2027-01-01 00:30");
    assert_eq!(local("Asia/Kolkata"), "2027-01-01 05:00");
    assert_eq!(local("Pacific/Kiritimati"), "2027-01-01 13:30");
}

#[test]
fn a_day_ends_by_the_clock_that_is_in_use_then() {
    // The clocks change on 2027-03-28 and 2027-10-31 in Berlin, on 2027-03-14 and 2027-11-07 in New York.
    let ends = |name: &str, text: &str| zone(name).end_of(day(text)).unwrap();
    assert_eq!(ends("Europe/Berlin", "2027-03-27"), utc("2027-03-27T22:59:59Z"));
    assert_eq!(ends("Europe/Berlin", "2027-03-28"), utc("2027-03-28T21:59:59Z"));
    assert_eq!(ends("Europe/Berlin", "2027-10-31"), utc("2027-10-31T22:59:59Z"));
    assert_eq!(ends("America/New_York", "2027-03-14"), utc("2027-03-15T03:59:59Z"));
    assert_eq!(ends("America/New_York", "2027-11-07"), utc("2027-11-08T04:59:59Z"));
    assert_eq!(ends("Asia/Kolkata", "2028-02-29"), utc("2028-02-29T18:29:59Z"));
    assert_eq!(ends("Pacific/Kiritimati", "2026-12-31"), utc("2026-12-31T09:59:59Z"));
}

#[test]
fn a_local_time_that_the_clocks_skip_or_repeat_is_still_on_its_day() {
    let local =
        |name: &str, text: &str| zone(name).local(utc(text)).map(|(day, time)| format!("{day} {time}")).unwrap();
    assert_eq!(local("Europe/Berlin", "2027-03-28T00:59:00Z"), "2027-03-28 01:59");
    assert_eq!(local("Europe/Berlin", "2027-03-28T01:00:00Z"), "2027-03-28 03:00");
    assert_eq!(local("Europe/Berlin", "2027-10-31T00:30:00Z"), "2027-10-31 02:30");
    assert_eq!(local("Europe/Berlin", "2027-10-31T01:30:00Z"), "2027-10-31 02:30");
}

#[test]
fn holidays_and_weekends_are_passed_over() {
    let days = WorkingDays::new(Weekdays::default(), ["2026-12-25", "2027-01-01"].map(day));
    assert_eq!(days.on_or_after(day("2026-12-24")), Some(day("2026-12-24")));
    assert_eq!(days.on_or_after(day("2026-12-25")), Some(day("2026-12-28")));
    assert_eq!(days.after(day("2026-12-24"), 1), Some(day("2026-12-28")));
    assert_eq!(days.after(day("2026-12-31"), 1), Some(day("2027-01-04")));
    assert_eq!(days.after(day("2026-12-26"), 0), Some(day("2026-12-28")));
    let leap = WorkingDays::new([Weekday::Tuesday].into_iter().collect(), []);
    assert_eq!(leap.after(day("2028-02-28"), 1), Some(day("2028-02-29")));
    let never = WorkingDays::new([Weekday::Monday].into_iter().collect(), []);
    assert_eq!(never.after(day("9999-12-31"), 1), None, "there is no day after the last one");
}

fn some_weekdays() -> impl Strategy<Value = Weekdays> {
    prop::sample::subsequence(Weekday::ALL.to_vec(), 1..=7).prop_map(|weekdays| weekdays.into_iter().collect())
}

proptest! {
    #[test]
    fn a_working_day_is_found_and_later_days_do_not_find_earlier_ones(
        weekdays in some_weekdays(),
        holidays in prop::collection::vec(0_i64..400, 0..60),
        (one, other) in (0_i64..400, 0_i64..400),
        count in 0_u32..30,
    ) {
        let at = |offset: i64| {
            let instant = Timestamp::from_micros(utc("2027-01-01T00:00:00Z").as_micros() + offset * 86_400 * SECOND);
            Zone::utc().local(instant).unwrap().0
        };
        let days = WorkingDays::new(weekdays, holidays.into_iter().map(at));
        let (first, second) = (at(one.min(other)), at(one.max(other)));
        let (of_first, of_second) = (days.after(first, count).unwrap(), days.after(second, count).unwrap());
        prop_assert!(days.has(of_first) && days.has(of_second));
        prop_assert!(of_first >= first && of_first <= of_second);
        prop_assert_eq!(days.after(first, count + 1), days.after(of_first, u32::from(count > 0 || first == of_first)));
    }

    #[test]
    fn the_end_of_a_day_is_on_it_and_after_every_instant_of_it(
        name in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Australia/Lord_Howe"]),
        seconds in 1_700_000_000_i64..2_200_000_000,
    ) {
        let instant = Timestamp::from_micros(seconds * SECOND);
        let (day, _) = zone(name).local(instant).unwrap();
        let end = zone(name).end_of(day).unwrap();
        prop_assert!(end >= instant);
        prop_assert_eq!(zone(name).local(end).unwrap().0, day);
    }
}
