//! A row as programs read it.

use portcullis_bench::Row;

/// The keys that readers may rely on, in this order, before any others.
const PROMISED: [&str; 7] = ["bench", "case", "ours_p50_ns", "ours_p99_ns", "floor", "floor_p50_ns", "ratio"];

fn row() -> Row {
    Row {
        bench: "call",
        case: "both-awake/64".into(),
        ours_p50_ns: 250,
        ours_p99_ns: 900,
        floor: "spin",
        floor_p50_ns: 200,
        ratio: 1.25,
        ..Row::default()
    }
}

/// The keys of a flat object, in the order in which they stand in the text.
fn keys(json: &str) -> Vec<&str> {
    json.trim_matches(['{', '}']).split(',').filter_map(|pair| pair.split('"').nth(1)).collect()
}

#[test]
fn the_promised_keys_come_first_and_others_behind() {
    let json = serde_json::to_string(&row()).unwrap();
    let promised = r#"{"bench":"call","case":"both-awake/64","ours_p50_ns":250,"ours_p99_ns":900,"floor":"spin","floor_p50_ns":200,"ratio":1.25,"#;
    assert!(json.starts_with(promised), "{json}");
    assert_eq!(keys(&json)[..7], PROMISED);
    let others =
        ["ratio_min", "ratio_max", "blocks", "floor_p99_ns", "ours_cpu_ns", "floor_cpu_ns", "clock_ns"];
    assert_eq!(keys(&json)[7..], others);
}

#[test]
fn what_applies_to_sessions_is_said_for_them_only() {
    let held = (Some(40), Some(10));
    let row = Row { sessions: Some(1000), descriptors_before: held.0, rows_before: held.1, ..row() };
    let row = Row { descriptors_after: held.0, rows_after: held.1, ..row };
    let json = serde_json::to_string(&row).unwrap();
    let said = ["sessions", "descriptors_before", "descriptors_after", "rows_before", "rows_after"];
    assert_eq!(keys(&json)[14..], said);
}

#[test]
fn what_applies_to_streams_is_said_for_them_only() {
    let rates = Row { ours_per_s: Some(9_000_000), floor_per_s: Some(10_000_000), ..row() };
    let row = Row { ours_gb_s: Some(0.576), read_gb_s: Some(60.0), budget: Some(0.8), ..rates };
    let row = Row { ratio_to_rare_ring: Some(0.5), ..row };
    let json = serde_json::to_string(&row).unwrap();
    let said = ["ours_per_s", "floor_per_s", "ours_gb_s", "read_gb_s", "ratio_to_rare_ring", "budget"];
    assert_eq!(keys(&json)[14..], said);
}

#[test]
fn what_applies_to_many_clients_is_said_for_them_only() {
    let row = Row { calls_per_second: Some(1_000_000), slowest_to_mean: Some(0.75), ..row() };
    let json = serde_json::to_string(&row).unwrap();
    assert_eq!(keys(&json)[14..], ["calls_per_second", "slowest_to_mean"]);
    assert!(json.ends_with(r#""calls_per_second":1000000,"slowest_to_mean":0.75}"#), "{json}");
}
