//! Files of JSON lines.

use std::fs::File;
use std::io::Write;

use dalsegno_watch::{Event, lines};

use crate::common::{House, kept};

#[test]
fn json_lines_that_grow_come_back_byte_for_byte() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("log.jsonl", "");
    watch.saved("log.jsonl");
    let mut file = File::options()
        .append(true)
        .open(house.path("log.jsonl"))
        .unwrap();
    let mut all = Vec::new();
    for line in [
        "{\"n\": 1}\r\n",
        "\r\n",
        "{\"n\": 2}  \n[3]\n",
        "\"no end\"",
    ] {
        file.write_all(line.as_bytes()).unwrap();
        all.extend_from_slice(line.as_bytes());
        watch.saved("log.jsonl");
        assert_eq!(lines::from_json(&house.latest("log.jsonl")).unwrap(), all);
    }
    let history = house.history("log.jsonl");
    assert_eq!(history.len(), 5);
    assert!(history.iter().all(|it| kept(it)["format"] == "jsonl"));
}

#[test]
fn a_torn_line_is_told_with_its_number_and_the_lines_before_it_are_looked_at_too() {
    let house = House::new();
    house.write("log.jsonl", "1\n2\n");
    let mut watch = house.watch();
    watch.saved("log.jsonl");
    house.write("log.jsonl", "1\n2\n{\"a\": ");
    let is_torn =
        |event: &Event| matches!(event, Event::Torn { message, .. } if message.contains("line 3"));
    watch.wait(is_torn);
    // The lines that were whole before are not believed to be so for ever.
    house.write("log.jsonl", "1\n{\n3\n4\n");
    watch.wait(|event| matches!(event, Event::Torn { message, .. } if message.contains("line 2")));
    house.write("log.jsonl", "1\nx2\n");
    watch.wait(|event| matches!(event, Event::Torn { .. }));
    assert_eq!(house.history("log.jsonl").len(), 1);
}
