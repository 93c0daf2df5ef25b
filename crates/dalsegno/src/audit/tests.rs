//! Whoever changes the log is found out, and so is who cuts it off, where its head was kept.

use std::sync::Arc;

use super::{AuditCheck, AuditOutcome, AuditQuery};
use crate::clock::SystemClock;
use crate::engine::Engine;
use crate::error::ErrorKind;
use crate::key::Secret;
use crate::model::{Action, AuditHead};
use crate::options::Options;
use crate::store::ledger::{self, Ledger};
use crate::store::{Exchange, MemoryStore, NoteRow, Row};

fn in_memory() -> Engine {
    Options::default().on(Arc::new(MemoryStore::new(&SystemClock)))
}

/// Eight rows: on, six saves, a deletion.
fn fill(engine: &Engine) {
    engine.audit_on().unwrap();
    for n in 0..6 {
        let save = engine.save_json("s", format!("[{n}]"));
        save.name(format!("n{n}")).commit().unwrap();
    }
    engine.delete(&["n3"], crate::GRACE).unwrap();
}

fn rows(engine: &Engine) -> Vec<NoteRow> {
    let mut rows = Vec::new();
    super::each(&*engine.view().unwrap(), false, &mut |row| {
        rows.push(row);
        Ok(true)
    })
    .unwrap();
    rows
}

fn exchange(engine: &Engine, take: Vec<NoteRow>, put: Vec<NoteRow>) {
    let exchange = Exchange::of_notes(take, put);
    assert!(engine.store().exchange(&exchange).unwrap());
}

fn broken_at(engine: &Engine, kept: Option<&AuditHead>) -> Option<i64> {
    let check: AuditCheck = engine.audit_check(kept).unwrap();
    check.broken.map(|broken| broken.number)
}

/// The row with another number, and a checksum that fits.
fn moved(engine: &Engine, row: &NoteRow, number: i64) -> NoteRow {
    let id = &engine.store().info().id;
    NoteRow::new((Ledger::KIND, 0, number), row.detail.clone(), id)
}

#[test]
fn each_row_that_is_changed_taken_out_swapped_or_put_in_is_found() {
    for at in 0..8 {
        let number = at as i64 + 1;
        let engine = in_memory();
        fill(&engine);
        let before = rows(&engine);
        assert_eq!(before.len(), 8);
        let head = engine.audit_head().unwrap();
        assert!(engine.audit_check(Some(&head)).unwrap().compared);
        let row = before[at].clone();

        // Changed, with a checksum that fits.
        let mut changed = row.clone();
        *changed.detail.last_mut().unwrap() ^= 1;
        let changed = changed.summed(&engine.store().info().id);
        exchange(&engine, vec![row.clone()], vec![changed.clone()]);
        assert_eq!(broken_at(&engine, None), Some(number));
        exchange(&engine, vec![changed], vec![row.clone()]);

        // Taken out. The last is only missed by who has kept the head.
        exchange(&engine, vec![row.clone()], vec![]);
        let missed = (at < 7).then_some(number);
        assert_eq!(broken_at(&engine, None), missed);
        assert_eq!(broken_at(&engine, Some(&head)), Some(number));
        // And those behind it moved up.
        let behind = before[at + 1..].to_vec();
        let up: Vec<_> = behind
            .iter()
            .map(|it| moved(&engine, it, it.id - 1))
            .collect();
        exchange(&engine, behind.clone(), up.clone());
        assert_eq!(broken_at(&engine, None), missed);
        exchange(&engine, up, [vec![row.clone()], behind].concat());
        assert_eq!(broken_at(&engine, Some(&head)), None);

        // Swapped.
        for other in &before[at + 1..] {
            let swapped = vec![
                moved(&engine, &row, other.id),
                moved(&engine, other, row.id),
            ];
            let both = vec![row.clone(), other.clone()];
            exchange(&engine, both.clone(), swapped.clone());
            assert_eq!(broken_at(&engine, None), Some(number));
            exchange(&engine, swapped, both);
        }

        // Put in at the end, as it stands elsewhere.
        let added = moved(&engine, &row, 9);
        exchange(&engine, vec![], vec![added.clone()]);
        assert_eq!(broken_at(&engine, None), Some(9));
        exchange(&engine, vec![added], vec![]);
        assert_eq!(broken_at(&engine, Some(&head)), None);
    }
}

/// Without a key, everybody can write the log anew; who has kept a head finds out.
#[test]
fn a_log_that_was_written_anew_differs_from_the_head_that_was_kept() {
    let engine = in_memory();
    fill(&engine);
    let head = engine.audit_head().unwrap();
    let id = &engine.store().info().id;
    let before = rows(&engine);
    let mut ledger = Ledger::new(None, None, None, id).unwrap();
    let mut anew = Vec::new();
    for row in before.iter().filter(|row| row.id != 4) {
        let renumbered = moved(&engine, row, anew.len() as i64 + 1);
        anew.extend(ledger.again(&renumbered).unwrap());
    }
    exchange(&engine, before, anew);
    let check = engine.audit_check(None).unwrap();
    assert!(check.is_whole() && !check.keyed);
    assert_eq!(broken_at(&engine, Some(&head)), Some(8));
    engine.save_json("s", "[]").commit().unwrap();
    assert_eq!(broken_at(&engine, Some(&head)), Some(8));
}

#[test]
fn a_program_says_what_it_did_and_denied_for_others() {
    let engine = in_memory();
    fill(&engine);
    let of = engine.info("n1").unwrap().id;
    let told = |word: &str| {
        let query = AuditQuery {
            who: Some("ada".to_owned()),
            outcome: Some(word.parse().unwrap()),
            ..AuditQuery::default()
        };
        engine.audit_log(&query).unwrap().entries
    };
    engine
        .audit_done(Action::Restore, "s", "ada", Some(of))
        .unwrap();
    engine
        .audit_denied(Action::Delete, Some("s"), "ada")
        .unwrap();
    let [done] = told("done").try_into().unwrap();
    assert_eq!((done.action, done.snapshots), (Action::Restore, vec![of]));
    assert_eq!(done.sessions, ["s"]);
    assert_eq!(done.who, *engine.who());
    let [denied] = told("denied").try_into().unwrap();
    assert_eq!((denied.action, denied.count), (Action::Delete, 0));
    assert!("gone".parse::<AuditOutcome>().is_err());
    assert!(engine.audit_check(None).unwrap().is_whole());
    engine.audit_off().unwrap();
    engine
        .audit_done(Action::Restore, "s", "ada", None)
        .unwrap();
    assert_eq!(told("done").len(), 1);
}

/// What cannot be read holds up nobody, and is named ever after.
#[test]
fn saves_go_on_after_a_last_row_that_is_damaged() {
    let engine = in_memory();
    fill(&engine);
    let last = rows(&engine).pop().unwrap();
    let mut damaged = last.clone();
    damaged.checksum[0] ^= 1;
    exchange(&engine, vec![last.clone()], vec![damaged.clone()]);
    engine.save_json("s", "[7]").commit().unwrap();
    assert_eq!(broken_at(&engine, None), Some(8));
    assert!(!engine.verify(None).unwrap().is_intact());
    let page = engine.audit_log(&AuditQuery::default()).unwrap();
    assert_eq!((page.entries.len(), page.damage.len()), (8, 1));
    // Put back, the one that was written meanwhile is not chained to it.
    exchange(&engine, vec![damaged], vec![last]);
    assert_eq!(broken_at(&engine, None), Some(9));
}

/// Nothing was chained anew then, so a log that was written anew is found all the same.
#[test]
fn encryption_that_was_denied_excuses_nothing() {
    let engine = in_memory();
    fill(&engine);
    let wrong = AuditHead {
        link: [7; 32],
        ..engine.audit_head().unwrap()
    };
    engine.audit_denied(Action::Encrypt, None, "eve").unwrap();
    assert_eq!(broken_at(&engine, Some(&wrong)), Some(8));
}

#[test]
fn turning_encryption_on_and_off_chains_the_rows_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    fill(&engine);
    let old = rows(&engine).remove(5);
    let mut early: AuditHead = engine.audit_head().unwrap();
    let kept = early;
    (early.number, early.link) = (6, ledger::parts(&old, &engine.store().info().id).unwrap().0);
    assert!(engine.audit_check(Some(&early)).unwrap().compared);
    engine.close().unwrap();
    let secret = Secret::generate().unwrap();
    Options::default()
        .encrypt(&path, &secret, None, &mut |_| {})
        .unwrap();

    let engine = Options::default()
        .secret(secret.clone())
        .open(&path)
        .unwrap();
    let check = engine.audit_check(Some(&kept)).unwrap();
    assert!(
        check.is_whole() && check.keyed && check.compared,
        "{check:?}"
    );
    assert_eq!(check.rows, 9);
    let refused = engine.audit_check(Some(&early)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let wrong = AuditHead {
        link: [7; 32],
        ..kept
    };
    assert!(engine.audit_check(Some(&wrong)).is_err());
    // Rows that are chained by the key that everybody knows do not do.
    let id = engine.store().info().id;
    let before = rows(&engine);
    let mut forged = Ledger::new(None, None, None, &id).unwrap();
    let again = before.iter().filter_map(|row| forged.again(row).unwrap());
    let again: Vec<NoteRow> = again.collect();
    exchange(&engine, before.clone(), again.clone());
    assert_eq!(broken_at(&engine, None), Some(1));
    exchange(&engine, again, before);
    // What stands for names is what it was.
    let of_s = |engine: &Engine| {
        let query = AuditQuery {
            session: Some("s".to_owned()),
            ..AuditQuery::default()
        };
        engine.audit_log(&query).unwrap().entries.len()
    };
    assert_eq!(of_s(&engine), 7);
    engine.save_json("t", "[]").commit().unwrap();
    engine.erase_session("t").unwrap();
    let kept = engine.audit_head().unwrap();
    engine.close().unwrap();

    let sealed = Options::default().secret(secret);
    sealed.decrypt(&path, &mut |_| {}).unwrap();
    let engine = Engine::open(&path).unwrap();
    let check = engine.audit_check(Some(&kept)).unwrap();
    assert!(check.is_whole() && !check.keyed && check.compared);
    assert_eq!(of_s(&engine), 7);
    assert!(engine.is_erased("t").unwrap() && !engine.is_erased("s").unwrap());
    let actions: Vec<Action> = engine
        .audit_log(&AuditQuery {
            limit: Some(2),
            ..AuditQuery::default()
        })
        .unwrap()
        .entries
        .iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, [Action::Decrypt, Action::Erase]);
}

#[test]
fn a_number_that_is_given_again_is_not_taken_for_the_session_before() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(folder.path().join("store.db")).unwrap();
    engine.audit_on().unwrap();
    engine.save_json("first", "[1]").commit().unwrap();
    engine.erase_session("first").unwrap();
    engine.save_json("second", "[2]").commit().unwrap();
    let of = |session: &str| {
        let query = AuditQuery {
            session: Some(session.to_owned()),
            ..AuditQuery::default()
        };
        let entries = engine.audit_log(&query).unwrap().entries;
        entries
            .into_iter()
            .map(|entry| (entry.action, entry.sessions))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("second"), [(Action::Save, vec!["second".to_owned()])]);
    let gone = vec!["#1".to_owned()];
    assert_eq!(
        of("first"),
        [(Action::Erase, gone.clone()), (Action::Save, gone)]
    );
    engine.save_json("first", "[3]").commit().unwrap();
    assert_eq!(of("first").len(), 3);
    assert_eq!(of("nobody"), []);
}

#[test]
fn a_log_is_asked_for_by_who_what_and_when() {
    let engine = in_memory();
    fill(&engine);
    let count = |query: AuditQuery| engine.audit_log(&query).unwrap().entries.len();
    let all = || AuditQuery::default();
    assert_eq!(count(all()), 8);
    assert_eq!(
        count(AuditQuery {
            limit: Some(3),
            ..all()
        }),
        3
    );
    assert_eq!(
        count(AuditQuery {
            actions: vec![Action::Delete],
            ..all()
        }),
        1
    );
    assert_eq!(
        count(AuditQuery {
            who: Some("nobody".to_owned()),
            ..all()
        }),
        0
    );
    assert_eq!(
        count(AuditQuery {
            who: Some(engine.who().to_string()),
            ..all()
        }),
        8
    );
    assert_eq!(
        count(AuditQuery {
            outcome: Some(AuditOutcome::Denied),
            ..all()
        }),
        0
    );
    let now = engine.now();
    assert_eq!(
        count(AuditQuery {
            since: Some(now),
            ..all()
        }),
        0
    );
    assert_eq!(
        count(AuditQuery {
            until: Some(now),
            ..all()
        }),
        8
    );
    engine.audit_off().unwrap();
    assert_eq!(engine.audit_off().unwrap_err().kind(), ErrorKind::Conflict);
    engine.save_json("s", "[8]").commit().unwrap();
    assert_eq!(count(all()), 9);
}
