//! Measures in their short form, from the command to their JSON. What depends on the machine's speed is not looked at.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::process::Command;

use serde_json::Value;

fn run(measure: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("report.json");
    let ran = Command::new(env!("CARGO_BIN_EXE_dalsegno-bench"))
        .args([measure, "--quick", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    serde_json::from_slice(&fs::read(json).unwrap()).unwrap()
}

#[test]
fn a_watch_has_every_state_that_stood_still() {
    let report = run("watch");
    let kept = &report["claims"][0];
    assert_eq!(
        (kept["measured"].as_f64(), &kept["reached"]),
        (Some(1.0), &Value::Bool(true)),
        "{report:#}"
    );
    let rows = report["tables"][0]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["figures"][0]["value"], 100.0);
    assert!(
        rows[1]["figures"][0]["value"].as_f64().unwrap() > 80.0,
        "{report:#}"
    );
}

#[test]
fn saves_are_timed_beside_a_slow_disk() {
    let report = run("pause");
    let rows = report["tables"][0]["rows"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 7, "{names:?}");
    assert_eq!(report["claims"].as_array().unwrap().len(), 4);
    // Who waits for the disk waits for all of it.
    assert!(rows[6]["figures"][1]["value"].as_f64().unwrap() > 500_000.0);
}

#[test]
fn backups_are_made_restored_and_compared_with_a_copy() {
    let report = run("backup");
    let tables = report["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 3);
    for (table, least) in tables.iter().zip([3, 3, 2]) {
        let rows = table["rows"].as_array().unwrap();
        assert!(rows.len() >= least, "{table:#}");
        for row in rows {
            assert!(row["figures"][2]["value"].as_u64().unwrap() > 0, "{row:#}");
        }
    }
    // With borg or without.
    assert!(report["claims"].as_array().unwrap().len() >= 4);
    // What a tick changed is less than everything.
    let bytes = |table: usize, row: usize| &tables[table]["rows"][row]["figures"][2]["value"];
    assert!(bytes(2, 0).as_u64() < bytes(0, 1).as_u64());
}
