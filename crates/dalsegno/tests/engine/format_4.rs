//! Stores of format 4 that were made once and are committed, in clear and encrypted: with an audit log, principals,
//! keys, a session that was erased.
//!
//! To make them anew, while format 4 may still change:
//! `cargo test -p dalsegno --test engine -- --ignored write_the_fixtures_of_format_4`

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use dalsegno::{AuditQuery, Engine, ErrorKind, Options, Query, Rule, Secret, Token};
use serde_json::{Value, json};

use crate::format::{BEGIN, Minutes, player};
use crate::format_2::{fill, fixture, goes_on, said, still_says};

const KEY: &str = "dalsegno-key-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const PASSPHRASE: &str = "correct horse battery staple";

/// Which of the two.
#[derive(Clone, Copy)]
enum Which {
    Clear,
    Encrypted,
}

use Which::{Clear, Encrypted};

impl Which {
    fn name(self) -> &'static str {
        match self {
            Clear => "format-4",
            Encrypted => "format-4-encrypted",
        }
    }

    fn options(self) -> Options {
        match self {
            Clear => Options::default(),
            Encrypted => Options::default().secret(Secret::parse(KEY).unwrap()),
        }
    }

    fn was(self) -> Value {
        let text = fs::read(fixture(&format!("{}.json", self.name()))).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn copied(self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        fs::copy(fixture(&format!("{}.db", self.name())), &path).unwrap();
        (folder, path)
    }

    fn write(self) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let clock = Arc::new(Minutes(AtomicI64::new(BEGIN)));
        let options = self.options().clock(clock).program("bot");
        let engine = options.clone().create(&path).unwrap();
        engine.audit_on().unwrap();
        if matches!(self, Encrypted) {
            let passphrase = Secret::parse(PASSPHRASE).unwrap();
            engine.add_key(&passphrase, Some("a laptop")).unwrap();
        }
        fill(&engine);
        engine.save_json("gone/2", player(1)).commit().unwrap();
        engine.erase_session("gone/2").unwrap();
        let head = engine.audit_head().unwrap().to_string();
        let admin = engine
            .add_principal("admin", &[Rule::everything()])
            .unwrap();
        engine.close().unwrap();
        let engine = options.clone().token(admin.clone()).open(&path).unwrap();
        let rules: [Rule; 2] = ["create,restore=bot/*", "read=**"].map(|it| it.parse().unwrap());
        let reader = engine.add_principal("reader", &rules).unwrap();
        let denied = options.token(reader.clone()).open(&path).unwrap();
        denied.save_json("gone/1", player(1)).commit().unwrap_err();
        denied.save_json("bot/1", player(44)).commit().unwrap();
        denied.close().unwrap();
        let mut said = all_said(&engine);
        engine.close().unwrap();
        said["tokens"] = json!([admin.to_text(), reader.to_text()]);
        said["head"] = json!(head);
        fs::copy(&path, fixture(&format!("{}.db", self.name()))).unwrap();
        let text = serde_json::to_string_pretty(&said).unwrap() + "\n";
        fs::write(fixture(&format!("{}.json", self.name())), text).unwrap();
    }
}

#[test]
#[ignore = "writes tests/fixtures/format-4.db, format-4-encrypted.db and what they say"]
fn write_the_fixtures_of_format_4() {
    for which in [Clear, Encrypted] {
        which.write();
    }
}

fn all_said(engine: &Engine) -> Value {
    let mut all = said(engine);
    all["audit"] = json!(engine.audit_log(&AuditQuery::default()).unwrap().entries);
    all["principals"] = json!(engine.principals().unwrap());
    all["keys"] = json!(engine.keys().unwrap());
    all["tombstones"] = json!(engine.tombstones().unwrap());
    all["events"] = json!(engine.events(1_000).unwrap());
    all
}

fn token(was: &Value, at: usize) -> Token {
    Token::parse(was["tokens"][at].as_str().unwrap()).unwrap()
}

#[test]
fn stores_of_format_4_say_what_they_said() {
    for which in [Clear, Encrypted] {
        let ((_folder, path), was) = (which.copied(), which.was());
        let options = which.options().token(token(&was, 0));
        let engine = options.clone().open(&path).unwrap();
        let found = engine.verify(None).unwrap();
        assert!(found.is_intact(), "{:?}", found.damage);
        let mut expected = was.clone();
        let others = expected.as_object_mut().unwrap();
        others.retain(|name, _| name != "tokens" && name != "head");
        still_says(&expected, &all_said(&engine), "");
        let head = was["head"].as_str().unwrap().parse().unwrap();
        let check = engine.audit_check(Some(&head)).unwrap();
        assert!(check.is_whole() && check.compared);
        assert!(engine.is_erased("gone/2").unwrap());
        let query = Query {
            limit: 1_000,
            ..Query::default()
        };
        for snapshot in engine.list(&query).unwrap().snapshots {
            engine.restore(&snapshot.id.to_string()).unwrap();
        }
        assert_eq!(engine.restore("bot/1@latest").unwrap().text(), player(44));
        drop(engine);
        let reader = which.options().token(token(&was, 1)).open(&path).unwrap();
        let refused = reader.delete(&["bot/1@latest"], dalsegno::GRACE);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Denied);
        drop(reader);
        // A new name, for the program that made it had another.
        let engine = options.program("another").open(&path).unwrap();
        goes_on(&engine, "bot/1");
        assert!(engine.audit_check(None).unwrap().is_whole());
    }
}

#[test]
fn an_encrypted_store_of_format_4_opens_with_each_of_its_keys_only() {
    let (_folder, path) = Encrypted.copied();
    let closed = Engine::open(&path).map(drop).unwrap_err();
    assert_eq!(closed.kind(), ErrorKind::WrongKey);
    let open = |secret: &str| {
        let secret = Secret::parse(secret).unwrap();
        Options::default().secret(secret).open(&path).map(drop)
    };
    open(PASSPHRASE).unwrap();
    open(KEY).unwrap();
    assert_eq!(open("another").unwrap_err().kind(), ErrorKind::WrongKey);
}
