//! Files that others may have made: a store, an export.

use super::memory;
use super::text::takes;
use crate::engine::Engine;
use crate::error::ErrorKind;
use crate::list::Query;
use crate::options::Options;

/// The bytes as a store's file: whatever it holds is read, proved, or refused.
pub fn open_store(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, data).unwrap();
    let Ok(engine) = Engine::open(&path) else {
        return;
    };
    let verified = engine.verify(None);
    let intact = verified.as_ref().is_ok_and(|found| found.is_intact());
    drop(engine.doctor());
    let sessions = engine.sessions();
    assert!(!intact || sessions.is_ok());
    let page = engine.list(&Query {
        limit: 100,
        ..Query::default()
    });
    let page = page.unwrap_or_else(|error| {
        assert!(!intact, "{error}");
        Default::default()
    });
    for snapshot in page.snapshots {
        // Only what was proved is given out.
        match engine.restore(&snapshot.id.to_string()) {
            Ok(restored) => assert_eq!(restored.text().len() as u64, snapshot.size),
            Err(error) => assert!(!intact, "{error}"),
        }
    }
    let mut out = Vec::new();
    let exported = engine.export(None, &mut out);
    assert!(!intact || exported.is_ok(), "{exported:?}");
    beside_the_states(&engine, intact);
    drop(engine.save_json("fuzz", "[1]").commit());
    drop(engine.close());
}

/// Guards and what they kept, events, leases.
fn beside_the_states(engine: &Engine, intact: bool) {
    let guards = engine.guards();
    assert!(!intact || guards.is_ok(), "{guards:?}");
    let events = engine.events(100);
    assert!(!intact || events.is_ok(), "{events:?}");
    let holders = engine.holders();
    assert!(!intact || holders.is_ok(), "{holders:?}");
    for session in engine.guarded_sessions().unwrap_or_default() {
        let report = engine.guard_status(&session);
        let unread = |error: &crate::Error| error.kind() == ErrorKind::Damaged;
        assert!(!intact || !report.as_ref().is_err_and(unread), "{report:?}");
        if let Ok(restore) = engine.guard_restore(&session, None) {
            drop(restore.apply());
        }
    }
    // Whoever wrote it may be thought to be there.
    for recovered in engine.recover().unwrap_or_default() {
        assert!(!intact || recovered.error.is_none(), "{recovered:?}");
    }
}

/// The bytes as an export: what is taken comes out again, and in again.
pub fn import_export(data: &[u8]) {
    let engine = Options::default().on(memory());
    let Ok(imported) = engine.import(data) else {
        return;
    };
    for snapshot in &imported.added {
        let restored = engine.restore(&snapshot.id.to_string()).unwrap();
        assert!(takes(restored.text()), "imported, and not JSON");
    }
    assert!(engine.verify(None).unwrap().is_intact());
    let again = engine.import(data).unwrap();
    assert!(again.added.is_empty(), "imported twice");
    let mut out = Vec::new();
    let count = engine.export(None, &mut out).unwrap();
    assert_eq!(count, imported.added.len() as u64);
    let other = Options::default().on(memory());
    let added = other.import(&out).unwrap().added;
    assert_eq!(added.len(), imported.added.len());
    for (here, there) in imported.added.iter().zip(&added) {
        let texts = [(&engine, here), (&other, there)].map(|(engine, snapshot)| {
            engine
                .restore(&snapshot.id.to_string())
                .unwrap()
                .into_text()
        });
        assert_eq!(texts[0], texts[1]);
        let said = |s: &crate::Snapshot| {
            let texts = [&s.name, &s.label, &s.description, &s.schema_version].map(Clone::clone);
            let rest = (s.tags.clone(), s.metadata.clone(), s.created_at, s.turn);
            (s.session.clone(), texts, rest, s.checksum.clone())
        };
        assert_eq!(said(here), said(there));
    }
}
