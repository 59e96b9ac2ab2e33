//! Tests of the timeline: what is drawn, what is merged, and how large it gets.

use chrono::TimeDelta;
use windlass_schedule::time_zone::find;

use super::*;

fn start() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-10-24T22:00:00Z").unwrap().to_utc()
}

fn item(shade: Shade, minute: i64, minutes: i64) -> LaneItem {
    let from = start() + TimeDelta::minutes(minute);
    LaneItem {
        shade,
        from,
        until: from + TimeDelta::minutes(minutes),
        title: format!("#{minute} </title><b>"),
        href: (shade != Shade::Skipped && shade != Shade::Planned).then(|| format!("/console/run/{minute:036}")),
    }
}

fn shown(lanes: Vec<Vec<LaneItem>>) -> Timeline {
    let lanes = lanes.into_iter().enumerate().map(|(place, items)| Lane {
        name: format!("job {place} <of a team with a long name>"),
        href: format!("/console/job/{place}"),
        items,
    });
    Timeline {
        from: start(),
        until: start() + TimeDelta::hours(24),
        now: start() + TimeDelta::hours(12),
        zone: find("Europe/Berlin").unwrap(),
        lanes: lanes.collect(),
    }
}

#[test]
fn a_lane_has_runs_skipped_and_planned_times() {
    let items = vec![
        item(Shade::Ok, 0, 60),
        item(Shade::Failed, 120, 30),
        item(Shade::Skipped, 400, 0),
        item(Shade::Planned, 1200, 0),
        item(Shade::Ok, 3000, 10),
    ];
    let shown = shown(vec![items]);
    let markup = timeline(&shown, 1200).into_string();
    assert_eq!(markup.matches("/console/run/").count(), 2, "what is outside is left out: {markup}");
    for part in ["class=\"skipped\"", "class=\"planned\"", "class=\"now\"", "25 Oct", "02:00 CET"] {
        assert!(markup.contains(part), "{part}: {markup}");
    }
    assert!(!markup.contains("style=") && !markup.contains("<b>") && !markup.contains("NaN"), "{markup}");
    let table = table(&shown).into_string();
    assert!(table.contains("25 Oct 19:00 CET"), "{table}");
}

/// A time is skipped while the run before it goes on.
#[test]
fn skipped_times_are_beside_the_bars_of_runs() {
    let markup = timeline(&shown(vec![vec![item(Shade::Ok, 0, 60), item(Shade::Skipped, 30, 0)]]), 1200).into_string();
    let bar = markup.split_once("<rect class=\"ok\"").unwrap().1;
    let number = |name: &str| {
        let text = bar.split_once(&format!(" {name}=\"")).unwrap().1.split_once('"').unwrap().0;
        text.parse::<f64>().unwrap()
    };
    let skip = markup.split_once("<path class=\"skipped\" d=\"M").unwrap().1.split_once('Z').unwrap().0;
    let corners: Vec<f64> = skip.split(['L', ' ']).map(|text| text.parse().unwrap()).collect();
    assert!(corners[1] >= number("y") + number("height"), "{markup}");
    assert!(corners[2] - corners[0] > 5.8 && corners[5] - corners[1] > 5.8, "{markup}");
}

#[test]
fn the_axis_names_its_zone() {
    assert!(timeline(&shown(Vec::new()), 1200).into_string().contains("<title>Time zone</title>Europe/Berlin</text>"));
}

#[test]
fn thin_bars_of_one_outcome_are_merged() {
    let mut items: Vec<LaneItem> = (0..300)
        .map(|second| LaneItem {
            from: start() + TimeDelta::seconds(second),
            until: start() + TimeDelta::seconds(second),
            ..item(Shade::Ok, 0, 0)
        })
        .collect();
    items.push(item(Shade::Failed, 2, 0));
    let markup = timeline(&shown(vec![items]), 1200).into_string();
    assert!(markup.contains("300 succeeded, 25 Oct 00:00 CEST to 25 Oct 00:04 CEST"), "{markup}");
    assert_eq!(markup.matches("class=\"failed\"").count(), 1, "a failure is not hidden");
    assert!(markup.find("class=\"failed\"") > markup.find("class=\"ok\""), "a failure is drawn last");
}

#[test]
fn a_page_stays_small() {
    let shades = [Shade::Ok, Shade::Failed, Shade::Cancelled, Shade::Skipped, Shade::Planned];
    let lanes = (0..150).map(|lane| {
        (0..500_i64).map(|place| item(shades[usize::try_from((place + lane) % 5).unwrap()], place * 3, 2)).collect()
    });
    let markup = timeline(&shown(lanes.collect()), 1200).into_string();
    assert!(markup.len() < 200_000, "{}", markup.len());
    assert_eq!(markup.matches("class=\"name\"").count(), MOST_LANES);
    let sparse = (0..100).map(|lane| {
        (0..7).map(|place| item(shades[place % 5], 200 * i64::try_from(place).unwrap() + lane, 100)).collect()
    });
    let markup = timeline(&shown(sparse.collect()), 1200).into_string();
    assert!(markup.len() < 200_000, "{}", markup.len());
    assert_eq!(markup.matches(" succeeded, ").count(), 0, "bars that can be told apart stay");
}
