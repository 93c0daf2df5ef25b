//! Many writers at once, each in its own way: at the end all is as it was written last, and nothing was kept that
//! nobody wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;

use dalsegno_watch::{Event, lines};

use crate::common::House;

/// A small generator of numbers: the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

/// What one writer wrote: of each file the last text, and all there ever were.
#[derive(Default)]
struct Wrote {
    last: BTreeMap<String, String>,
    ever: BTreeSet<String>,
}

fn write_for_a_while(house: &House, writer: u64) -> Wrote {
    let mut dice = Dice(writer);
    let mut wrote = Wrote::default();
    for turn in 0..150 {
        let lines = dice.roll(3) == 0;
        let ending = if lines { "jsonl" } else { "json" };
        let name = format!("w{writer}/f{}.{ending}", dice.roll(3));
        let many = usize::try_from(dice.roll(2000)).unwrap();
        let text = if lines {
            format!("{{\"turn\": {turn}}}\n").repeat(many + 1)
        } else {
            format!("[{turn}, \"{}\"]", "x".repeat(many))
        };
        let path = house.path(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match dice.roll(5) {
            0 => {
                let (one, two) = text.split_at(text.len() / 2);
                let mut file = File::create(&path).unwrap();
                file.write_all(one.as_bytes()).unwrap();
                std::thread::yield_now();
                file.write_all(two.as_bytes()).unwrap();
            }
            1 => {
                drop(fs::remove_file(&path));
                fs::write(&path, &text).unwrap();
            }
            2 => {
                // Under another name first, which goes.
                let other = path.with_file_name(format!("other{turn}.{ending}"));
                fs::write(&other, &text).unwrap();
                fs::rename(&other, &path).unwrap();
            }
            _ => house.replace(&name, &text),
        }
        wrote.ever.insert(text.clone());
        wrote.last.insert(name, text);
    }
    wrote
}

fn as_written(house: &House, session: &str, id: &str) -> String {
    let kept = house.engine.restore(id).unwrap().into_text();
    let text = if session.ends_with(".jsonl") {
        lines::from_json(&kept).unwrap()
    } else {
        kept
    };
    String::from_utf8(text).unwrap()
}

#[test]
fn whatever_writers_do_the_last_states_are_kept_and_none_that_was_not_written() {
    let house = House::new();
    let watch = house.watch();
    let wrote: Vec<Wrote> = std::thread::scope(|scope| {
        let house = &house;
        let writers: Vec<_> = (0..4)
            .map(|writer| scope.spawn(move || write_for_a_while(house, writer)))
            .collect();
        writers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let (summary, events) = watch.stop();
    let failed: Vec<_> = events
        .iter()
        .filter(|event| matches!(event, Event::NotSaved { .. } | Event::Unreadable { .. }))
        .collect();
    assert!(failed.is_empty() && summary.failed == 0, "{failed:?}");
    let ever: BTreeSet<_> = wrote.iter().flat_map(|wrote| &wrote.ever).collect();
    for (name, text) in wrote.iter().flat_map(|wrote| &wrote.last) {
        let session = name.strip_suffix(".json").unwrap_or(name);
        let latest = as_written(&house, session, &format!("{session}@latest"));
        assert!(
            latest == *text,
            "{session}: {} bytes, {} written",
            latest.len(),
            text.len()
        );
    }
    for session in house.engine.sessions().unwrap() {
        for snapshot in house.history(&session) {
            let text = as_written(&house, &session, &snapshot.id.to_string());
            assert!(
                ever.contains(&text) || is_beginning(&ever, &text),
                "{session}: {} bytes",
                text.len()
            );
        }
    }
    assert!(house.engine.verify(None).unwrap().damage.is_empty());
}

/// Half of a file of JSON lines may be whole lines itself; a machine that is slow enough sees it stand still.
fn is_beginning(ever: &BTreeSet<&String>, text: &str) -> bool {
    ever.iter().any(|whole| whole.starts_with(text))
}
