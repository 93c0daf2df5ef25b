//! Inputs to begin with: what honest programs write.

use bytes::Bytes;

use super::{VERB, memory};
use crate::codec::block::{self, Entry};
use crate::codec::detail::{self, Detail, Origin};
use crate::codec::pack::{self, Effort};
use crate::codec::record;
use crate::delta::Delta;
use crate::document::lookup::Lookup;
use crate::document::split;
use crate::engine::{Engine, Options};

/// Inputs for the target of that name.
pub fn samples(target: &str) -> Vec<Vec<u8>> {
    match target {
        "decode_record" => records().iter().map(|r| packed(r)).collect(),
        "decode_block" => blocks(),
        "decode_detail" => details(),
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
    [Detail::default(), full, imported]
        .map(|d| detail::encode(&d).unwrap())
        .to_vec()
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
