//! Faults that were found once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dalsegno::{DocumentBuilder, ErrorKind, GRACE, Kind, List, Options, Purge, Query};
use serde_json::json;

use crate::common::{engine_on, memory, state};

/// The two engines stand for two programs. What the first has in its cache is old by then.
#[test]
fn a_restore_after_another_program_saved_is_no_conflict() {
    let store = memory();
    let [one, other] = [(); 2].map(|()| engine_on(Arc::clone(&store)));
    one.save_json("s", state(1)).commit().unwrap();
    one.save_json("s", state(2)).commit().unwrap();
    other.save_json("s", state(3)).commit().unwrap();
    let head = one.put_back("s@-2").apply().unwrap().head.unwrap();
    assert_eq!(
        other.restore(&head.id.to_string()).unwrap().text(),
        state(1)
    );
}

/// The same text is no change, however it was cut the first time.
#[test]
fn the_same_text_saved_in_another_way_is_unchanged() {
    let engine = engine_on(memory());
    let tracks: Vec<String> = (0..30)
        .map(|n| format!("a track with a number, {n}"))
        .collect();
    let list: List<String> = tracks.iter().cloned().collect();
    let document = DocumentBuilder::new()
        .list("upcoming", &list)
        .unwrap()
        .finish();
    let first = engine
        .save_document("s", document.clone())
        .commit()
        .unwrap();
    let typed = json!({ "upcoming": tracks });
    for saved in [
        engine.save("s", &typed).commit().unwrap(),
        engine.save_document("s", document).commit().unwrap(),
        engine.save_json("s", typed.to_string()).commit().unwrap(),
    ] {
        assert!(saved.unchanged);
        assert_eq!((saved.same_as, saved.stored_size), (Some(first.id), 0));
    }
    // A value that stands in a list, where it is one item, and as a member, where it is cut.
    let value = json!([
        "a string that is long enough to be worth moving about, at 64 bytes",
        1
    ]);
    let text = json!({ "a": value, "b": [value] }).to_string();
    for unchanged in [false, true, true] {
        let saved = engine.save_json("t", text.clone()).commit().unwrap();
        assert_eq!(saved.unchanged, unchanged);
    }
}

/// Metadata that would not come back is refused, rather than kept and not readable.
#[test]
fn metadata_comes_back_or_is_refused() {
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let odd = [
        deep,
        json!({ "$serde_json::private::RawValue": "1" }),
        json!({ "$serde_json::private::RawValue": 1 }),
    ];
    for value in odd {
        let engine = engine_on(memory());
        match engine.save_json("s", "1").meta("k", value.clone()).commit() {
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}"),
            Ok(saved) => {
                let info = engine.info(&saved.id.to_string()).unwrap();
                assert_eq!(info.metadata["k"], value);
            }
        }
        let page = engine.list(&Query::default()).unwrap();
        assert!(page.damaged.is_empty());
        assert!(engine.verify(None).unwrap().is_intact());
    }
    let mut fits = json!(1);
    for _ in 0..100 {
        fits = json!({ "a": fits });
    }
    let engine = engine_on(memory());
    let saved = engine
        .save_json("s", "1")
        .meta("k", fits.clone())
        .commit()
        .unwrap();
    assert_eq!(saved.metadata["k"], fits);
}

/// All of an import is looked at before anything is added.
#[test]
fn an_import_that_cannot_be_whole_adds_nothing() {
    let engine = engine_on(memory());
    engine.save_json("a", "[1]").label("x").commit().unwrap();
    engine.save_json("b", " [2]").tag("good").commit().unwrap();
    let mut out = Vec::new();
    engine.export(None, &mut out).unwrap();
    let export = String::from_utf8(out).unwrap();
    let long = format!("\"label\":\"{}\"", "x".repeat(dalsegno::MAX_DETAIL + 1));
    let bad = [
        export.replace("\"good\"", "\"\\u0001\""),
        export.replace("\"session\":\"b\"", "\"session\":\"b/../c\""),
        export.replacen("\"label\":null", &long, 1),
        export.replace("\"state\":[2]", "\"state\":[3]"),
    ];
    for text in bad {
        assert_ne!(text, export);
        let other = engine_on(memory());
        assert!(other.import(text.as_bytes()).is_err());
        assert!(
            other.sessions().unwrap().is_empty(),
            "a part of it was added"
        );
    }
}

/// A cursor may say anything.
#[test]
fn cursors_that_nobody_gave() {
    let engine = engine_on(memory());
    engine.save_json("s", "1").commit().unwrap();
    for cursor in [
        "",
        "o",
        "o7fffffffffffffff",
        "o-8000000000000000",
        "O7fffffffffffffff",
        "o0",
        "x1",
        "ozz",
        "é",
    ] {
        for reverse in [false, true] {
            let query = Query {
                cursor: Some(cursor.to_owned()),
                reverse,
                ..Query::default()
            };
            if let Err(error) = engine.list(&query) {
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{cursor}");
            }
        }
    }
}

/// While one waits for everything to be done, others can save.
#[test]
fn a_flush_holds_up_nobody() {
    use dalsegno::store::faulty::{Call, FaultyStore};
    use std::sync::{Barrier, Mutex, mpsc};
    let (go, wait) = mpsc::channel::<()>();
    let (wait, flushing) = (Mutex::new(wait), Barrier::new(2));
    let store = FaultyStore::new(memory(), move |call, _| {
        if call == Call::Commit {
            let _ended = wait.lock().unwrap().recv();
        }
        None
    });
    let engine = Options::default().on(Arc::new(store));
    let first = engine.save_json("s", state(1)).submit();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            flushing.wait();
            engine.flush().unwrap();
        });
        flushing.wait();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let (sent, done) = mpsc::channel();
        let engine = &engine;
        scope.spawn(move || {
            let ticket = engine.save_json("s", state(2)).submit();
            sent.send(()).unwrap();
            ticket.wait().unwrap();
        });
        let held_up = done
            .recv_timeout(std::time::Duration::from_secs(5))
            .is_err();
        drop(go);
        assert!(!held_up, "a save waits for a flush");
    });
    first.wait().unwrap();
}

/// All of a session is in the trash: that is no damage.
#[test]
fn a_session_that_is_all_in_the_trash_is_exported_and_counted() {
    let engine = engine_on(memory());
    engine.save_json("gone", state(1)).commit().unwrap();
    engine.save_json("there", state(2)).commit().unwrap();
    engine.delete(&["gone@latest"], GRACE).unwrap();
    let mut out = Vec::new();
    assert_eq!(engine.export(None, &mut out).unwrap(), 1);
    assert_eq!(engine.export(Some("gone"), &mut out).unwrap(), 0);
    let stats = engine.stats(None).unwrap();
    assert!(stats.damage.is_empty(), "{:?}", stats.damage);
    assert!(engine.verify(None).unwrap().is_intact());
}

/// What was deleted while it was stored alone lies between the records of the block that was packed
/// afterwards, some of which build on it.
#[test]
fn what_builds_on_a_record_between_those_of_a_block_outlives_it() {
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    let saved: Vec<_> = (0..20)
        .map(|n| engine.save_json("s", state(n)).commit().unwrap())
        .collect();
    let deleted = [5, 6, 12].map(|n| saved[n].id.to_string());
    let deleted: Vec<&str> = deleted.iter().map(String::as_str).collect();
    engine.delete(&deleted, GRACE).unwrap();
    // It packs what is there.
    engine.close().unwrap();
    let engine = engine_on(store);
    for piece in [&deleted[1..2], &deleted[..]] {
        let ids = piece.iter().map(|id| id.parse().unwrap()).collect();
        engine.purge(&Purge::These(ids), &mut |_| {}).unwrap();
        let found = engine.verify(None).unwrap();
        assert!(found.is_intact(), "{:?}", found.damage);
    }
    for (n, snapshot) in saved
        .iter()
        .enumerate()
        .filter(|(n, _)| ![5, 6, 12].contains(n))
    {
        let restored = engine.restore(&snapshot.id.to_string()).unwrap();
        assert_eq!(restored.text(), state(n));
    }
}

/// The file was put back by hand before it was undone.
#[test]
fn an_undo_that_makes_no_difference_is_done_again_without_one() {
    let engine = engine_on(memory());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    std::fs::write(&file, "[1]").unwrap();
    engine.save_json("s", "[2]").commit().unwrap();
    engine.put_back("s@latest").to_file(&file).apply().unwrap();
    std::fs::write(&file, "[1]").unwrap();
    engine.undo("s").unwrap().apply().unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"[1]");
    engine.redo("s").unwrap().apply().unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"[1]");
}

#[test]
fn a_name_of_no_session_takes_nothing_out_of_the_trash() {
    let engine = engine_on(memory());
    engine.save_json("s", "[1]").name("boss").commit().unwrap();
    engine.delete(&["s@boss"], GRACE).unwrap();
    let error = engine.undelete(&["other@boss"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    engine.undelete(&["s@boss"]).unwrap();
    engine.restore("s@boss").unwrap();
}

/// After a safety snapshot the state is that of the history again, which cannot be read just now.
#[test]
fn a_save_that_cannot_look_at_the_history_is_refused() {
    use dalsegno::store::faulty::{Call, Failure, FaultyStore};
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    engine.save_json("s", state(1)).commit().unwrap();
    let safety = engine.save_json("s", "[\"else\"]").kind(Kind::Safety);
    safety.commit().unwrap();
    for nth in 0.. {
        let failure = Failure::Before(ErrorKind::Storage);
        let faulty = FaultyStore::failing(Arc::clone(&store), Call::Read, nth, failure);
        let faulty = Arc::new(faulty);
        let other = engine_on(Arc::clone(&faulty) as _);
        let saved = other.save_json("s", state(1)).commit();
        if let Ok(saved) = saved {
            assert!(
                saved.unchanged,
                "read {nth} failed, and it counts as a change"
            );
            break;
        }
        assert!(nth < 100);
    }
}

/// An undo either can be done again, or was not done.
#[test]
fn what_is_done_can_be_undone_though_the_store_failed_in_between() {
    use dalsegno::store::faulty::{Call, Failure, FaultyStore};
    for nth in 0..40 {
        let store = memory();
        let engine = engine_on(Arc::clone(&store));
        for n in 1..4 {
            engine.save_json("s", state(n)).commit().unwrap();
        }
        let failure = Failure::Before(ErrorKind::Storage);
        let faulty = FaultyStore::failing(store, Call::View, nth, failure);
        let other = engine_on(Arc::new(faulty));
        let undone = other
            .rollback("s", &dalsegno::Back::Steps(2))
            .and_then(|rollback| rollback.apply());
        if undone.is_ok() {
            engine.undo("s").unwrap().apply().unwrap();
            assert_eq!(engine.restore("s@latest").unwrap().text(), state(3));
        }
    }
}

/// Back to a snapshot that was taken when nothing had changed.
#[test]
fn a_step_from_an_unchanged_snapshot_leads_to_another_state() {
    let engine = engine_on(memory());
    let save = |n| engine.save_json("s", state(n)).commit().unwrap();
    save(1);
    save(2);
    let unchanged = save(2);
    assert!(unchanged.unchanged);
    save(3);
    let back = |back| engine.rollback("s", &back).unwrap().apply().unwrap();
    back(dalsegno::Back::To(unchanged.id.to_string()));
    assert_eq!(engine.restore("s@latest").unwrap().text(), state(2));
    back(dalsegno::Back::Steps(1));
    assert_eq!(engine.restore("s@latest").unwrap().text(), state(1));
}

/// A component that came back made a state that stood beside the history: it stands where it came. If it made the
/// state that it came from, it stands there, as long as anything tells.
#[test]
fn a_restored_component_stands_where_its_state_does() {
    let other = (r#"{"x":9,"y":2}"#, [r#"{"x":1,"y":2}"#; 3]);
    let [zero, third] = [r#"{"x":0,"y":0}"#, r#"{"x":1,"y":2}"#];
    let same = (r#"{"x":9,"y":1}"#, [zero, zero, third]);
    for (made, expected) in [other, same] {
        for (fate, before) in ["there", "in the trash", "gone"].iter().zip(expected) {
            let engine = engine_on(memory());
            let save = |text: &'static str| engine.save_json("s", text);
            save(zero).commit().unwrap();
            let first = save(r#"{"x":9,"y":1}"#).commit().unwrap();
            save(third).commit().unwrap();
            let safety = save(made).kind(Kind::Safety).commit().unwrap();
            let put = engine.put_back(&first.id.to_string()).component("x");
            let put = if made == other.0 {
                put
            } else {
                put.component("y")
            };
            let head = put.apply().unwrap().head.unwrap();
            assert_eq!(head.same_as, Some(safety.id));
            if *fate != "there" {
                engine.delete(&[&first.id.to_string()], GRACE).unwrap();
            }
            if *fate == "gone" {
                engine.purge(&Purge::All(None), &mut |_| {}).unwrap();
                assert!(engine.trash(None).unwrap().is_empty());
            }
            let back = engine.rollback("s", &dalsegno::Back::Steps(1)).unwrap();
            back.apply().unwrap();
            let text = engine.restore("s@latest").unwrap();
            assert_eq!(text.text(), before.as_bytes(), "{made} {fate}");
        }
    }
}

/// A state outlives its own snapshot, because a later one has it; then that one goes, and the purge is
/// interrupted. Something must go on leading to the state until it is gone too.
#[test]
fn an_interrupted_purge_leaves_no_state_behind() {
    use dalsegno::store::faulty::{Call, Failure, FaultyStore};
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    // Blocks of 64, so that what goes is in several rows.
    let saved: Vec<_> = (0..200)
        .map(|n| engine.save_json("s", state(n)).commit().unwrap())
        .collect();
    let ids = |from: usize, to: usize| -> Vec<String> {
        saved[from..to].iter().map(|s| s.id.to_string()).collect()
    };
    let again = engine
        .put_back(&ids(2, 3)[0])
        .apply()
        .unwrap()
        .head
        .unwrap();
    let delete = |ids: &[String]| {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        engine.delete(&ids, GRACE).unwrap();
    };
    engine.save_json("s", "[]").commit().unwrap();
    delete(&ids(2, 3));
    engine.purge(&Purge::All(None), &mut |_| {}).unwrap();
    delete(&[again.id.to_string(), ids(190, 191)[0].clone()]);
    // All in one row are one piece; a block that stays lies between these.
    engine.close().unwrap();
    for nth in 0.. {
        let failure = Failure::After(ErrorKind::Storage);
        let faulty = FaultyStore::failing(Arc::clone(&store), Call::Exchange, nth, failure);
        let other = engine_on(Arc::new(faulty));
        let done = other.purge(&Purge::All(None), &mut |_| {}).is_ok();
        let found = engine_on(Arc::clone(&store)).verify(None).unwrap();
        assert!(found.is_intact(), "{nth}: {:?}", found.damage);
        if done {
            break;
        }
    }
}

/// Records that stay alone between those of a block are encoded anew: they may not become a block there.
#[test]
fn no_block_comes_to_lie_under_another() {
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    let saved: Vec<_> = (0..20)
        .map(|n| engine.save_json("s", state(n)).commit().unwrap())
        .collect();
    let ids: Vec<String> = saved.iter().map(|s| s.id.to_string()).collect();
    let deleted: Vec<&str> = ids[5..9].iter().map(String::as_str).collect();
    engine.delete(&deleted, GRACE).unwrap();
    engine.close().unwrap();
    let engine = engine_on(store);
    let going = Purge::These([saved[5].id, saved[7].id].into());
    engine.purge(&going, &mut |_| {}).unwrap();
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
    engine.undelete(&[&ids[6], &ids[8]]).unwrap();
    for n in (0..20).filter(|n| ![5, 7].contains(n)) {
        assert_eq!(engine.restore(&ids[n]).unwrap().text(), state(n));
    }
}

/// Another program deletes what this one knows as the last state of the history; the newest snapshot is
/// the same.
#[test]
fn a_writer_hears_that_something_was_deleted() {
    let store = memory();
    let [one, other] = [(); 2].map(|()| engine_on(Arc::clone(&store)));
    let first = one.save_json("s", state(1)).commit().unwrap();
    let safety = one.save_json("s", "[\"else\"]").kind(Kind::Safety);
    safety.commit().unwrap();
    other.delete(&[&first.id.to_string()], GRACE).unwrap();
    let again = one.save_json("s", state(1)).commit().unwrap();
    assert!(!again.unchanged && again.same_as.is_none());
    assert_eq!(one.info("s@latest").unwrap().id, again.id);
}

#[test]
fn a_rollback_ends_what_could_be_done_again() {
    let engine = engine_on(memory());
    for n in 1..5 {
        engine.save_json("s", state(n)).commit().unwrap();
    }
    let back = |steps| engine.rollback("s", &dalsegno::Back::Steps(steps)).unwrap();
    back(1).apply().unwrap();
    engine.undo("s").unwrap().apply().unwrap();
    back(2).apply().unwrap();
    let error = engine.redo("s").map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_pin_goes_with_an_export() {
    let one = engine_on(memory());
    one.save_json("s", "1").pin().commit().unwrap();
    one.save_json("s", "2").commit().unwrap();
    let mut text = Vec::new();
    one.export(None, &mut text).unwrap();
    let other = engine_on(memory());
    other.import(&text).unwrap();
    let pinned = |engine: &dalsegno::Engine| {
        let all = engine.list(&dalsegno::Query::default()).unwrap().snapshots;
        all.iter().map(|s| s.pinned).collect::<Vec<_>>()
    };
    assert_eq!(pinned(&one), [false, true]);
    assert_eq!(pinned(&other), [false, true]);
}

/// Another program saves each time that rows are about to change.
#[test]
fn a_session_that_is_being_saved_can_be_thinned() {
    use dalsegno::store::faulty::{Call, FaultyStore};
    let store = memory();
    let other = engine_on(Arc::clone(&store));
    for n in 0..5 {
        other.save_json("s", state(n)).commit().unwrap();
    }
    let busy = AtomicUsize::new(10);
    let faulty = FaultyStore::new(store, move |call, _| {
        if call == Call::Exchange {
            let n = busy.fetch_add(1, Ordering::SeqCst);
            other.save_json("s", state(n)).commit().unwrap();
        }
        None
    });
    let engine = engine_on(Arc::new(faulty));
    let deleted = engine.delete(&["s@-3", "s@-4"], GRACE).unwrap();
    assert_eq!(deleted.len(), 2);
    assert_eq!(engine.trash(None).unwrap().len(), 2);
    let id = deleted[0].id.to_string();
    engine.undelete(&[&id]).unwrap();
    assert_eq!(engine.restore(&id).unwrap().text(), state(0));
    // What was the newest when it was named need not be so when it goes.
    let latest = engine.delete(&["s@latest"], GRACE).unwrap();
    assert_eq!(engine.trash(None).unwrap().len(), 2);
    assert_eq!(latest.len(), 1);
    assert!(engine.verify(None).unwrap().is_intact());
}

#[test]
fn large_states_that_pack_well_are_packed_once() {
    let store = memory();
    let text = |n: usize| format!("[{}\"{n}\"]", format!("\"{n} la la la\",").repeat(40_000));
    for _ in 0..2 {
        let engine = engine_on(Arc::clone(&store));
        for n in 0..12 {
            engine.save_json("s", text(n)).commit().unwrap();
        }
        engine.close().unwrap();
    }
    let rows = |store: &Arc<dyn dalsegno::store::Store>| {
        let mut rows = Vec::new();
        let view = store.view().unwrap();
        view.records(&mut |row| {
            rows.push((row.seq, row.count));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        rows
    };
    let before = rows(&store);
    let engine = engine_on(Arc::clone(&store));
    engine.save_json("s", text(11)).commit().unwrap();
    engine.close().unwrap();
    assert_eq!(rows(&store), before, "nothing new, nothing packed again");
}

/// What a cleanup was to purge at once does not lie in the trash for a week because it was interrupted.
#[test]
fn an_interrupted_cleanup_that_purges_can_be_completed() {
    use dalsegno::store::faulty::{Call, Failure, FaultyStore};
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    for n in 0..10 {
        engine.save_json("s", state(n)).commit().unwrap();
    }
    let cleanup = dalsegno::Cleanup {
        rules: Some(dalsegno::retention::Rules::new().keep_last(3)),
        purge: true,
        ..dalsegno::Cleanup::default()
    };
    let clean = |engine: &dalsegno::Engine| {
        let plan = engine.cleanup_plan(&cleanup)?;
        engine.cleanup(&plan, &mut |_| {})
    };
    // The first exchange deletes, the second purges.
    let failure = Failure::Before(ErrorKind::Storage);
    let faulty = FaultyStore::failing(Arc::clone(&store), Call::Exchange, 1, failure);
    clean(&engine_on(Arc::new(faulty))).unwrap_err();
    assert_eq!(engine.trash(None).unwrap().len(), 7);
    clean(&engine).unwrap();
    assert!(engine.trash(None).unwrap().is_empty());
}

/// One bad session does not hold up the others.
#[test]
fn a_damaged_session_is_left_alone_and_named() {
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    for n in 0..6 {
        for session in ["good", "bad"] {
            engine.save_json(session, state(n)).commit().unwrap();
        }
    }
    let view = store.view().unwrap();
    let bad = view.session("bad").unwrap().unwrap().id;
    let mut row = None;
    view.snapshots(&dalsegno::store::Scan::default(), &mut |found| {
        if found.session == bad && row.is_none() {
            row = Some(found);
        }
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    drop(view);
    let row = row.unwrap();
    let bent = dalsegno::store::SnapshotRow {
        size: row.size + 1,
        ..row.clone()
    };
    let of = |row| dalsegno::store::Rows {
        snapshots: vec![row],
        ..Default::default()
    };
    let exchange = dalsegno::store::Exchange::of(of(row), of(bent));
    assert!(store.exchange(&exchange).unwrap());
    let cleanup = dalsegno::Cleanup {
        rules: Some(dalsegno::retention::Rules::new().keep_last(2)),
        purge: true,
        ..dalsegno::Cleanup::default()
    };
    let plan = engine.cleanup_plan(&cleanup).unwrap();
    assert_eq!((plan.deleted, plan.kept), (4, 2));
    assert_eq!(plan.damage.len(), 1);
    assert_eq!(plan.damage[0].session.as_deref(), Some("bad"));
    let cleaned = engine.cleanup(&plan, &mut |_| {}).unwrap();
    assert_eq!((cleaned.deleted, cleaned.purged.snapshots), (4, 4));
    let only = dalsegno::Cleanup {
        session: Some("bad".into()),
        ..cleanup
    };
    let refused = engine.cleanup_plan(&only).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged);
}

/// A cleanup of the same day does not take away what an undo needs.
#[test]
fn what_an_undo_of_today_leads_back_to_stays() {
    let engine = engine_on(memory());
    for n in 0..9 {
        engine.save_json("s", state(n)).commit().unwrap();
    }
    let before = engine.info("s@latest").unwrap();
    engine.put_back("s@-5").apply().unwrap();
    let rules = |rules| dalsegno::Cleanup {
        rules: Some(rules),
        ..dalsegno::Cleanup::default()
    };
    let nothing = rules(dalsegno::retention::Rules::new().keep_nothing());
    let of = |plan: &dalsegno::CleanupPlan| {
        let planned = &plan.sessions[0].snapshots;
        planned.iter().find(|s| s.id == before.id).unwrap().keep
    };
    assert!(!of(&engine.cleanup_plan(&nothing).unwrap()));
    let last = rules(dalsegno::retention::Rules::new().keep_last(1));
    let plan = engine.cleanup_plan(&last).unwrap();
    assert!(of(&plan));
    assert_eq!(plan.kept, 2);
    engine.cleanup(&plan, &mut |_| {}).unwrap();
    engine.undo("s").unwrap().apply().unwrap();
    assert_eq!(engine.restore("s@latest").unwrap().text(), state(8));
}

/// A purge that comes while a program packs: both make blocks, and none of the rows of the one is among the other's.
#[test]
fn a_purge_while_rows_are_packed_hides_no_record() {
    use dalsegno::store::faulty::{Call, FaultyStore};
    use std::sync::Mutex;
    let inner = memory();
    let other = Arc::new(engine_on(Arc::clone(&inner)));
    let to_purge = Arc::new(Mutex::new(None));
    let (purger, purging) = (Arc::clone(&other), Arc::clone(&to_purge));
    let store = FaultyStore::new(inner, move |call, _| {
        if call == Call::Exchange
            && let Some(going) = purging.lock().unwrap().take()
        {
            let purged = purger.purge(&Purge::These(going), &mut |_| {}).unwrap();
            assert_eq!(purged.snapshots, 2);
        }
        None
    });
    let engine = engine_on(Arc::new(store));
    let saved: Vec<_> = (0..16)
        .map(|n| engine.save_json("s", state(n)).commit().unwrap().id)
        .collect();
    // 0 and 3 go; what builds on them is encoded anew while it is in the trash.
    let id = |n: usize| saved[n].to_string();
    let deleted = [0, 1, 3, 4].map(id);
    other
        .delete(&deleted.each_ref().map(String::as_str), GRACE)
        .unwrap();
    *to_purge.lock().unwrap() = Some([saved[0], saved[3]].into());
    drop(engine);
    assert!(to_purge.lock().unwrap().is_none(), "nothing was packed");
    other.undelete(&[&id(1), &id(4)]).unwrap();
    for n in (0..16).filter(|n| ![0, 3].contains(n)) {
        assert_eq!(other.restore(&id(n)).unwrap().text(), state(n), "{n}");
    }
    assert!(other.verify(None).unwrap().is_intact());
}
