//! Inputs to begin with: what honest programs write.

use bytes::Bytes;

use super::{VERB, memory};
use crate::codec::block::{self, Entry};
use crate::codec::detail::{self, Detail, Origin};
use crate::codec::note::{self, Lease, Process, Request, Stage, State, Writer};
use crate::codec::pack::{self, Effort};
use crate::codec::record;
use crate::delta::Delta;
use crate::document::lookup::Lookup;
use crate::document::split;
use crate::engine::Engine;
use crate::guard::{End, GuardPolicy, GuardRule};
use crate::options::Options;

/// Inputs for the target of that name.
pub fn samples(target: &str) -> Vec<Vec<u8>> {
    match target {
        "decode_record" => records().iter().map(|r| packed(r)).collect(),
        "decode_block" => blocks(),
        "decode_detail" => details(),
        "decode_note" => notes(),
        "split_json" => texts()
            .into_iter()
            .flat_map(|text| [0, 128].map(|share| [&[share][..], &text, &text].concat()))
            .map(|mut data| {
                if data.first() == Some(&0) {
                    data.truncate(1 + data.len() / 2);
                }
                data
            })
            .collect(),
        "engine_vs_model" => (0..40_u8).map(verbs).collect(),
        "open_store" => vec![store()],
        "open_archive" => super::archive::archives(|engine| {
            save_some(engine);
            lose_some(engine);
        }),
        "import_export" => vec![
            export(),
            b"{\"dalsegno_export\":1,\"snapshots\":[]}".to_vec(),
        ],
        _ => Vec::new(),
    }
}

fn texts() -> Vec<Vec<u8>> {
    let tracks: Vec<String> = (0..40).map(track).collect();
    vec![
        format!("{{\"turn\":1,\"upcoming\":[{}],\"a\":null}}", tracks.join(",")).into_bytes(),
        format!("{{\n  \"turn_count\": -2,\n  \"q\": [\n    {}\n  ]\n}}\n", tracks.join(",\n    "))
            .into_bytes(),
        b"[1,-2.5e+7,\"\\ud834\\udd1e\\ud834\",true,false,null,[[]],{\"a\":{}}]".to_vec(),
        b" \"\xe6\xbc\xa2 \\\\ \\\" \\/\" ".to_vec(),
        b"{\"a\":{\"list\":[\"a string that is long enough to be worth moving about, at 64 bytes\",1]}}".to_vec(),
    ]
}

fn track(n: usize) -> String {
    let encoded = "QUFBQkJC".repeat(10 + n % 3);
    format!("{{\"title\":\"Track {n}\",\"encoded\":\"{encoded}\",\"seconds\":{n}}}")
}

/// Records that grow out of each other, the first a base.
fn records() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut earlier = None;
    for text in texts() {
        let delta = {
            let lookup = earlier.as_ref().map(Lookup::new);
            let document = split(&text, lookup.as_ref()).unwrap().document;
            let delta = lookup.as_ref().map(|lookup| {
                let mut delta = Delta::between(lookup, &document);
                delta.locate(lookup.document, &document);
                delta
            });
            let delta = delta.unwrap_or_else(|| Delta::from_nothing(&document));
            earlier = Some(document);
            delta
        };
        found.push(record::encode(&delta).unwrap());
    }
    found
}

fn blocks() -> Vec<Vec<u8>> {
    let records = records().into_iter().zip(1_i64..);
    let entries = records.map(|(record, n)| Entry {
        seq: (1 << 52) + n * 4_096,
        parent: (n > 1).then_some((1 << 52) + (n - 1) * 4_096),
        record: Bytes::from(record),
    });
    let mut entries: Vec<Entry> = entries.collect();
    let whole = block::encode(&entries).unwrap();
    entries
        .iter_mut()
        .skip(3)
        .for_each(|e| e.parent = Some(1 << 52 | 4_096));
    let forked = block::encode(&entries).unwrap();
    [whole, forked].map(|b| packed(&b)).to_vec()
}

fn packed(payload: &[u8]) -> Vec<u8> {
    pack::pack(payload, Effort::Block).unwrap()
}

fn details() -> Vec<Vec<u8>> {
    let mut full = Detail {
        checksum: [0xab; 16],
        turn: Some(-1),
        label: Some("a label".to_owned()),
        description: Some("é".repeat(100)),
        tags: vec!["x".to_owned(), "long evening".to_owned()],
        schema_version: Some("2".to_owned()),
        origin: Some(Origin::Restore(7_353_011_404_800_006)),
        ..Detail::default()
    };
    full.metadata
        .insert("k".to_owned(), serde_json::json!([1, {"a": 1.5}, null]));
    let imported = Detail {
        origin: Some(Origin::Import("0192".to_owned())),
        ..Detail::default()
    };
    let meant = Detail {
        intent: Some("clear: the user asked for it".to_owned()),
        displaced: Some([0xcd; 16]),
        ..Detail::default()
    };
    let said = Detail {
        intent: Some(String::new()),
        ..full.clone()
    };
    let went = Detail {
        origin: Some(Origin::Rollback(1 << 52)),
        displaced: Some([1; 16]),
        ..Detail::default()
    };
    [Detail::default(), full, imported, meant, said, went]
        .map(|d| detail::encode(&d).unwrap())
        .to_vec()
}

fn notes() -> Vec<Vec<u8>> {
    let writer = Writer {
        name: "bot".to_owned(),
        process: Process {
            boot: "1c2d7b9e-0000-4000-8000-000000000000".to_owned(),
            space: 4_026_531_836,
            pid: 4_711,
            started: 123_456,
        },
        beat: 47_000_000,
        ttl: 15_000,
        since: 1_795_168_800_000_000,
        attends: true,
    };
    let lease = |state| Lease {
        epoch: 3,
        writer: 1 << 60,
        state,
        since: -1,
    };
    let leases = [State::Held, State::Closed, State::Broken].map(lease);
    let stages = [
        Stage::Asked,
        Stage::Taken,
        Stage::Done,
        Stage::Answered("{}".to_owned(), Some("why".to_owned())),
        Stage::Refused("denied".to_owned(), "not now".to_owned(), true),
        Stage::Passed(4),
        Stage::Kept,
        Stage::Returned(5, "no voice".to_owned()),
    ];
    let request = |stage| Request {
        session: "bot/1".to_owned(),
        verb: "rollback".to_owned(),
        arguments: "{\"steps\":2}".to_owned(),
        asker: writer.clone(),
        writer: 1 << 60,
        epoch: 3,
        seen: 1 << 52,
        parcel: Some([7; 16]),
        stage,
    };
    let mut found = vec![note::encode(&writer).unwrap()];
    found.extend(leases.map(|lease| note::encode(&lease).unwrap()));
    found.extend(stages.map(|stage| note::encode(&request(stage)).unwrap()));
    found.push(note::encode(&"{\"event\":\"deleted\"}").unwrap());
    found
}

/// Losses and intents in guarded sessions, and sessions that are opened: one is left so.
fn lose_some(engine: &Engine) {
    let list = GuardRule::new("upcoming").key("title").consumed(End::Front);
    let guard = GuardPolicy::new("g/*").list(list).generations(2);
    engine.set_guard(&guard).unwrap();
    for session in ["g/1", "g/2"] {
        engine.open_session(session).unwrap();
        for (from, to, intent) in [
            (0, 9, None),
            (1, 6, None),
            (1, 4, Some("undo")),
            (3, 7, None),
            (3, 5, None),
        ] {
            let tracks: Vec<String> = (from..to).map(track).collect();
            let text = format!("{{\"upcoming\":[{}]}}", tracks.join(","));
            let mut save = engine.save_json(session, text);
            if let Some(words) = intent {
                save = save.intent(words);
            }
            save.commit().unwrap();
        }
    }
    engine.close_session("g/1").unwrap();
    engine.abandon("g/2").unwrap();
}

fn verbs(seed: u8) -> Vec<u8> {
    let bytes = (0..60 * VERB as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8);
    bytes
        .map(|byte| byte.wrapping_add(seed.wrapping_mul(37)))
        .collect()
}

fn save_some(engine: &Engine) {
    for text in texts() {
        let save = engine.save_json("bot/1", text.clone()).tag("x");
        save.meta("k", 1).commit().unwrap();
        engine
            .save_json("chat", text)
            .label("twice")
            .commit()
            .unwrap();
    }
    engine
        .save_json("chat", "[]")
        .name("party")
        .commit()
        .unwrap();
}

fn store() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    save_some(&engine);
    lose_some(&engine);
    let newest = engine.info("chat@latest").unwrap().id.to_string();
    engine.delete(&[&newest], crate::GRACE).unwrap();
    engine.close().unwrap();
    std::fs::read(path).unwrap()
}

fn export() -> Vec<u8> {
    let engine = Options::default().on(memory());
    save_some(&engine);
    let mut out = Vec::new();
    engine.export(None, &mut out).unwrap();
    out
}
