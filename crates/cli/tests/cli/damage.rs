//! A store that was damaged says so, loses nothing more, and goes on.

use crate::common::{House, id};

fn damage(house: &House, statement: &str) {
    let store = rusqlite::Connection::open(house.store()).unwrap();
    store.execute_batch(statement).unwrap();
}

fn three() -> (House, Vec<String>) {
    let house = House::new();
    let saved = [1, 2, 3].map(|n| house.save("bot/1", &format!("{{\"n\":{n}}}")));
    let ids = saved.iter().map(|saved| id(saved).to_owned()).collect();
    (house, ids)
}

#[test]
fn a_state_can_be_restored_over_a_damaged_one_and_saves_go_on() {
    let (house, ids) = three();
    damage(
        &house,
        "UPDATE record SET data = x'00ff' WHERE seq = (SELECT max(seq) FROM record)",
    );
    house
        .run(&["snapshot", "show", "bot/1@latest"])
        .failed(6, "damaged");
    house.run(&["verify"]).failed(6, "damaged").says(&ids[2]);
    house.run(&["snapshot", "restore", &ids[1]]).ok();
    let latest = house.run(&["snapshot", "show", "bot/1@latest"]).ok();
    assert_eq!(latest.text(), "{\"n\":2}");
    house.save("bot/1", "{\"n\":4}");
    let latest = house.run(&["snapshot", "show", "bot/1@latest"]).ok();
    assert_eq!(latest.text(), "{\"n\":4}");
}

#[test]
fn a_snapshot_that_is_gone_is_named_and_no_other_stands_for_it() {
    for lost in [1, 2] {
        let (house, ids) = three();
        damage(
            &house,
            &format!(
                "DELETE FROM snapshot WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET {lost})"
            ),
        );
        house.run(&["verify"]).failed(6, "damaged").says(&ids[lost]);
        house
            .run(&["snapshot", "list", "bot/1"])
            .failed(6, &ids[lost][..18]);
        house
            .run(&["snapshot", "show", "bot/1@-2"])
            .failed(6, &ids[lost]);
        if lost == 2 {
            house
                .run(&["snapshot", "show", "bot/1@latest"])
                .failed(6, &ids[lost]);
        }
        let first = house.run(&["snapshot", "show", &ids[0]]).ok();
        assert_eq!(first.text(), "{\"n\":1}");
    }
}

#[test]
fn what_does_not_belong_to_a_store_is_found() {
    let (house, _) = three();
    damage(&house, "CREATE TABLE mine (a)");
    house
        .run(&["verify"])
        .failed(6, "damaged")
        .says("mine does not belong");
    let trigger = "CREATE TRIGGER t AFTER INSERT ON snapshot BEGIN DELETE FROM record; END";
    damage(&house, trigger);
    house
        .feed(&["snapshot", "save", "bot/1"], b"5")
        .failed(6, "triggers");
}
