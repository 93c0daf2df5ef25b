use crate::common::{House, id};

const STATE: &str =
    "{\n  \"queue\": {\"upcoming\": [1.0, 1e2,  {\"t\":\"\\u00e9\"}]},\n  \"volume\": 75\n}\n";

#[test]
fn the_saved_bytes_and_nothing_else() {
    let house = House::new();
    house.save("s", STATE);
    assert_eq!(
        house.run(&["snapshot", "show", "s@latest"]).ok().out,
        STATE.as_bytes()
    );
    let queue = house
        .run(&["snapshot", "show", "s@latest", "--component", "queue"])
        .ok()
        .text();
    assert_eq!(queue, "{\"upcoming\": [1.0, 1e2,  {\"t\":\"\\u00e9\"}]}");
    house
        .run(&["snapshot", "show", "s@latest", "--component", "filters"])
        .refused(4, "queue, volume");
    house.save("list", "[1, 2]");
    let whole = house
        .run(&["snapshot", "show", "list@latest", "--component", "document"])
        .ok();
    assert_eq!(whole.text(), "[1, 2]");
}

#[test]
fn pretty_is_for_reading() {
    let house = House::new();
    house.save("s", "{\"a\":[1.0,{}],\"b\":\"x: {\"}");
    let text = house
        .run(&["snapshot", "show", "s@latest", "--pretty"])
        .ok()
        .text();
    assert_eq!(
        text,
        "{\n  \"a\": [\n    1.0,\n    {}\n  ],\n  \"b\": \"x: {\"\n}\n"
    );
    let ran = house.run(&["snapshot", "show", "s@latest", "--pretty", "--json"]);
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(2), "usage"));
}

#[test]
fn json_has_the_metadata_and_the_state_as_it_is() {
    let house = House::new();
    let saved = house.save("s", STATE);
    let text = house
        .run(&["snapshot", "show", "s@latest", "--json"])
        .ok()
        .text();
    let snapshot = serde_json::to_string(&saved).unwrap();
    let expected = format!(
        "{{\"snapshot\":{snapshot},\"component\":null,\"state\":{}}}\n",
        STATE.trim()
    );
    assert_eq!(text, expected);
    let queue = house
        .run(&[
            "snapshot",
            "show",
            "s@latest",
            "--component",
            "queue",
            "--json",
        ])
        .ok();
    queue.says("\"component\":\"queue\",\"state\":{\"upcoming\": [1.0, 1e2,");
    assert_eq!(queue.json()["state"]["upcoming"][2]["t"], "é");
}

#[test]
fn info_tells_what_is_known() {
    let house = House::new();
    let first = house.save("s", STATE);
    let arguments = [
        "snapshot",
        "save",
        "s",
        "--name",
        "n",
        "--tag",
        "t",
        "--meta",
        "k=v",
        "--description",
        "d",
        "--turn",
        "3",
    ];
    house.feed(&arguments, STATE.as_bytes()).ok();
    let text = house.run(&["snapshot", "info", "n"]).ok().text();
    let size = format!("size         {} B", STATE.len());
    for part in [
        "session      s",
        "name         n",
        "tags         t",
        "metadata     k=v",
        "turn         3",
        &size,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        text.contains(&format!("as a reference to {}", id(&first))),
        "{text}"
    );
    assert!(
        text.contains(&format!("parent       {}", id(&first))),
        "{text}"
    );
}

#[test]
fn references() {
    let house = House::new();
    let mut ids = Vec::new();
    for turn in 0..5 {
        ids.push(id(&house.save("g/1", &format!("{{\"turn\":{turn}}}"))).to_owned());
    }
    house
        .feed(
            &["snapshot", "save", "g/1", "--name", "end"],
            b"{\"turn\":4}",
        )
        .ok();
    let find = |reference: &str| {
        let found = house
            .run(&["snapshot", "info", reference, "--json"])
            .ok()
            .json();
        ids.iter()
            .position(|known| known == id(&found))
            .unwrap_or(99)
    };
    assert_eq!(find("g/1@latest"), 4);
    // `end` is unchanged, so it is not counted.
    assert_eq!(find("g/1@-0"), 4);
    assert_eq!(find("g/1@-2"), 2);
    assert_eq!(find("g/1@turn:1"), 1);
    assert_eq!(find(&ids[3]), 3);
    assert_eq!(find("end"), 99);
    assert_eq!(find("g/1@end"), 99);
    for (reference, part) in [
        ("g/1@-9", "only 5 states"),
        ("g/1@turn:77", "no snapshot is of turn 77"),
        ("g/1@turn:x", "not the number of a turn"),
        ("g/1@1999-01-01", "no snapshot is as old"),
        ("g/1@nonsense", "no name in the session"),
        ("g/2@latest", "no session 'g/2'"),
        ("g/1", "g/1@latest"),
        ("ffffffff", "no snapshot answers"),
        (
            "00000000-0000-7000-8000-000000000000",
            "no snapshot answers",
        ),
        ("", "no snapshot answers"),
    ] {
        let ran = house.run(&["snapshot", "show", reference]);
        let code = if reference.ends_with(":x") { 2 } else { 4 };
        ran.refused(code, part);
    }
    // The ids of one second begin alike.
    let common: String = ids[0].chars().take(6).collect();
    let ran = house
        .run(&["snapshot", "show", &common])
        .refused(4, "may be any of 6 snapshots");
    assert!(ids.iter().all(|id| ran.err.contains(id)), "{ran}");
    let ran = house.run(&["snapshot", "show", &common, "--json"]);
    assert_eq!(ran.error().0, "ambiguous");
    assert_eq!(
        house
            .run(&["snapshot", "show", "nobody", "--json"])
            .error()
            .0,
        "not_found"
    );
}
