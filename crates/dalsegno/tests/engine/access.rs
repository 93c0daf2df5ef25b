//! Who may do what: every verb asks, and what is denied changes nothing and stands in the audit log.

use std::time::Duration;

use dalsegno::guard::{GuardPolicy, GuardRule};
use dalsegno::retention::{Policy, Rules};
use dalsegno::{
    AuditOutcome, AuditQuery, Back, Cleanup, Engine, ErrorKind, GRACE, Kind, Options, Permission,
    Purge, Query, Result, Rule, Secret, Token,
};
use jiff::SignedDuration;
use serde_json::json;

struct Place {
    folder: tempfile::TempDir,
    admin: Token,
}

impl Place {
    /// Two sessions with some of everything, and an administrator.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::create(folder.path().join("store.db")).unwrap();
        for session in ["bot/1", "chat/1"] {
            for n in 0..4 {
                let state = json!({ "messages": vec!["words"; 9 - n], "turn": n });
                let name = format!("{}-{n}", &session[..3]);
                engine.save(session, &state).name(name).commit().unwrap();
            }
            engine
                .rollback(session, &Back::Steps(1))
                .unwrap()
                .apply()
                .unwrap();
        }
        engine.delete(&["bot-0", "cha-0"], GRACE).unwrap();
        engine.audit_on().unwrap();
        let admin = engine
            .add_principal("admin", &[Rule::everything()])
            .unwrap();
        engine.close().unwrap();
        Self { folder, admin }
    }

    fn with(&self, token: &Token) -> Engine {
        let options = Options::default().token(token.clone());
        options.open(self.folder.path()).unwrap()
    }

    fn admin(&self) -> Engine {
        self.with(&self.admin)
    }

    fn add(&self, name: &str, rules: &[&str]) -> Engine {
        let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        self.with(&self.admin().add_principal(name, &rules).unwrap())
    }
}

type Verb = (&'static str, Permission, fn(&Engine) -> Result<()>);

fn policy() -> Policy {
    Policy {
        pattern: "bot/*".to_owned(),
        rules: Rules {
            keep_last: Some(3),
            ..Rules::default()
        },
        grace: None,
    }
}

/// Every verb that asks for more than to read, done to `bot/1` or to the store.
fn verbs() -> Vec<Verb> {
    use Permission::{Admin, Create, Delete, Restore};
    vec![
        ("save", Create, |e| {
            e.save_json("bot/1", "[]").commit().map(drop)
        }),
        ("auto-save", Create, |e| {
            e.save_json("bot/1", "[]")
                .kind(Kind::Auto)
                .commit()
                .map(drop)
        }),
        ("begin", Create, |e| {
            e.save_json("bot/2", "[]").commit().map(drop)
        }),
        ("fork", Create, |e| e.fork("bot-1", "bot/3").map(drop)),
        ("open", Create, |e| e.open_session("bot/1").map(drop)),
        ("take over", Create, |e| e.take_over("bot/1").map(drop)),
        ("open together", Create, |e| {
            e.open_together(&["bot/1"])?
                .into_iter()
                .next()
                .unwrap()
                .map(drop)
        }),
        ("rename", Create, |e| {
            e.rename("bot-1", Some("other")).map(drop)
        }),
        ("tag", Create, |e| e.tag("bot-1", &["tag"]).map(drop)),
        ("pin", Create, |e| e.pin("bot-1", true).map(drop)),
        ("import", Create, |e| {
            let mut out = Vec::new();
            e.export(Some("bot/1"), &mut out)?;
            let text = String::from_utf8(out).unwrap().replace("bot/1", "bot/9");
            e.import(text.as_bytes()).map(drop)
        }),
        ("ask", Create, |e| {
            let ask = e.ask("bot/1", "volume").timeout(Duration::ZERO);
            ask.send().map(drop)
        }),
        ("put back", Restore, |e| {
            e.put_back("bot-1").apply().map(drop)
        }),
        ("restore to a file", Restore, |e| {
            let file = e.path().unwrap().with_file_name("out.json");
            e.put_back("bot-1").to_file(file).apply().map(drop)
        }),
        ("roll back", Restore, |e| {
            e.rollback("bot/1", &Back::Steps(1))?.apply().map(drop)
        }),
        ("undo", Restore, |e| e.undo("bot/1")?.apply().map(drop)),
        ("skip", Restore, |e| e.undo_skip("bot/1").map(drop)),
        ("ask to go back", Restore, |e| {
            let ask = e.ask("bot/1", "rollback").arguments(json!({ "steps": 1 }));
            ask.send().map(drop)
        }),
        ("ask for what a guard kept", Restore, |e| {
            e.ask("bot/1", "guard_restore").send().map(drop)
        }),
        ("delete", Delete, |e| e.delete(&["bot-1"], GRACE).map(drop)),
        ("undelete", Delete, |e| e.undelete(&["bot-0"]).map(drop)),
        ("purge", Delete, |e| {
            e.purge(&Purge::All(Some("bot/1".to_owned())), &mut |_| {})
                .map(drop)
        }),
        ("clean up", Delete, |e| {
            let plan = e.cleanup_plan(&Cleanup {
                session: Some("bot/1".to_owned()),
                rules: Some(Rules {
                    keep_last: Some(1),
                    ..Rules::default()
                }),
                grace: Some(SignedDuration::ZERO),
                purge: false,
            })?;
            e.cleanup(&plan, &mut |_| {}).map(drop)
        }),
        ("set a policy", Admin, |e| e.set_policy(&policy())),
        ("remove a policy", Admin, |e| e.remove_policy("none")),
        ("set a guard", Admin, |e| {
            e.set_guard(&GuardPolicy::new("bot/*").list(GuardRule::new("messages")))
        }),
        ("remove a guard", Admin, |e| e.remove_guard("none")),
        ("erase", Admin, |e| e.erase_session("bot/1").map(drop)),
        ("wipe", Admin, |e| e.wipe()),
        ("add a key", Admin, |e| {
            e.add_key(&Secret::generate().unwrap(), None).map(drop)
        }),
        ("remove a key", Admin, |e| e.remove_key(1)),
        ("end the log", Admin, Engine::audit_off),
        ("read the log", Admin, |e| {
            e.audit_log(&AuditQuery::default()).map(drop)
        }),
        ("keep the head", Admin, |e| e.audit_head().map(drop)),
        ("check the log", Admin, |e| e.audit_check(None).map(drop)),
        ("list principals", Admin, |e| e.principals().map(drop)),
        ("add a principal", Admin, |e| {
            e.add_principal("x", &[Rule::everything()]).map(drop)
        }),
        ("set rules", Admin, |e| {
            e.set_rules("admin", &[Rule::everything()])
        }),
        ("another token", Admin, |e| {
            e.new_token("stranger").map(drop)
        }),
        ("remove a principal", Admin, |e| {
            e.remove_principal("stranger")
        }),
    ]
}

/// All that may be read, as an administrator sees it.
fn everything(engine: &Engine) -> String {
    let mut out = Vec::new();
    engine.export(None, &mut out).unwrap();
    let trash = engine.trash(None).unwrap();
    let rules = (engine.policies().unwrap(), engine.guards().unwrap());
    let log = engine.log("bot/1", 100).unwrap();
    let audited = engine.is_audited().unwrap();
    format!(
        "{} {trash:?} {rules:?} {log:?} {audited}",
        String::from_utf8(out).unwrap()
    )
}

#[test]
fn every_verb_is_denied_to_who_may_not_and_changes_nothing() {
    let place = Place::new();
    let admin = place.admin();
    // What must be allowed is left out, one at a time; and nothing is allowed on another session.
    for missing in Permission::ALL {
        let others = Permission::ALL.into_iter().filter(|it| *it != missing);
        let mut rules = vec![Rule::new(others.collect::<Vec<_>>(), "**")];
        rules.push(Rule::new(Permission::ALL, "chat/*"));
        let name = format!("all-but-{missing}");
        let engine = place.with(&admin.add_principal(&name, &rules).unwrap());
        for (verb, wanted, done) in verbs() {
            if wanted != missing {
                continue;
            }
            let before = everything(&admin);
            let refused = done(&engine).expect_err(verb);
            assert_eq!(refused.kind(), ErrorKind::Denied, "{verb}: {refused}");
            let message = refused.to_string();
            assert!(
                message.contains(&name) && message.contains(missing.as_str()),
                "{verb}: {message}"
            );
            assert_eq!(everything(&admin), before, "{verb}");
            let last = AuditQuery {
                limit: Some(1),
                ..AuditQuery::default()
            };
            let last = admin.audit_log(&last).unwrap().entries.remove(0);
            assert_eq!(
                (last.who.clone(), last.outcome),
                (name.clone(), AuditOutcome::Denied),
                "{verb}"
            );
            if !matches!(wanted, Permission::Admin) {
                assert!(
                    last.sessions.iter().all(|it| it == "bot/1"),
                    "{verb}: {last:?}"
                );
            }
        }
    }
}

#[test]
fn every_verb_is_done_for_who_may_and_stands_in_the_log() {
    for (verb, wanted, done) in verbs() {
        let place = Place::new();
        let pattern = if wanted == Permission::Admin {
            "**"
        } else {
            "bot/*"
        };
        let rule = format!("{wanted}={pattern}");
        place.add("stranger", &["read=**"]);
        let engine = place.add("somebody", &[&rule]);
        let before = place
            .admin()
            .audit_log(&AuditQuery::default())
            .unwrap()
            .entries
            .len();
        match done(&engine) {
            // What there is nothing to do for is not denied.
            Err(error) => assert!(error.kind() != ErrorKind::Denied, "{verb}: {error}"),
            Ok(()) => {
                drop(engine);
                let log = place
                    .admin()
                    .audit_log(&AuditQuery::default())
                    .unwrap()
                    .entries;
                // Opening changes nothing that is kept, and reading nothing at all.
                let silent = ["open", "open together", "wipe", "pin"].contains(&verb)
                    || (wanted == Permission::Admin
                        && verb.contains("log")
                        && verb != "end the log")
                    || ["keep the head", "list principals"].contains(&verb);
                assert!(
                    silent || log.len() > before,
                    "{verb} does not stand in the log"
                );
                assert!(
                    log.iter()
                        .take(log.len() - before)
                        .all(|it| it.who == "somebody")
                );
            }
        }
        assert!(
            place.admin().audit_check(None).unwrap().is_whole(),
            "{verb}"
        );
    }
}

#[test]
fn what_may_not_be_read_is_not_shown() {
    let place = Place::new();
    let engine = place.add("reader", &["read=chat/*"]);
    assert_eq!(engine.sessions().unwrap(), ["chat/1"]);
    let list = |query: Query| engine.list(&query).unwrap().snapshots;
    let all = list(Query::default());
    assert!(all.len() == 4 && all.iter().all(|it| it.session == "chat/1"));
    assert_eq!(engine.trash(None).unwrap().len(), 1);
    assert_eq!(engine.stats(None).unwrap().sessions, 1);
    assert!(
        engine
            .events(100)
            .unwrap()
            .iter()
            .all(|it| it.session.as_deref() != Some("bot/1"))
    );
    assert!(engine.holders().unwrap().is_empty());
    let mut out = Vec::new();
    engine.export(None, &mut out).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("bot/1"));
    let hidden = place.admin().info("bot-1").unwrap().id.to_string();
    for reference in ["bot-1", hidden.as_str(), &hidden[..20]] {
        assert_eq!(
            engine.info(reference).unwrap_err().kind(),
            ErrorKind::NotFound,
            "{reference}"
        );
        assert_eq!(
            engine.restore(reference).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }
    for denied in [
        engine.info("bot/1@latest").map(drop),
        engine.log("bot/1", 9).map(drop),
        engine.list(&Query::session("bot/1")).map(drop),
        engine.verify(Some("bot/1")).map(drop),
        engine.verify(None).map(drop),
        engine.doctor().map(drop),
    ] {
        assert_eq!(denied.unwrap_err().kind(), ErrorKind::Denied);
    }
    assert!(engine.verify(Some("chat/1")).unwrap().is_intact());
}

#[test]
fn a_token_that_is_missing_wrong_or_replaced_opens_nothing() {
    let place = Place::new();
    let stranger = place
        .admin()
        .add_principal("s", &["all=bot/*".parse().unwrap()])
        .unwrap();
    let engine = place.with(&stranger);
    assert!(engine.sessions().is_ok());
    let nobody = Engine::open(place.folder.path()).unwrap();
    let other = place.admin().new_token("s").unwrap();
    for engine in [&engine, &nobody] {
        assert_eq!(engine.sessions().unwrap_err().kind(), ErrorKind::Denied);
        let refused = engine.save_json("bot/1", "[]").commit().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Denied);
    }
    assert!(place.with(&other).sessions().is_ok());
    place.admin().remove_principal("s").unwrap();
    assert!(place.with(&other).sessions().is_err());

    let admin = place.admin();
    assert_eq!(
        admin.add_principal("admin", &[]).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    admin
        .add_principal("t", &["read=**".parse().unwrap()])
        .unwrap();
    for alone in [
        admin.remove_principal("admin"),
        admin.set_rules("admin", &[]),
    ] {
        assert_eq!(alone.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(nobody.reset_access().unwrap(), 2);
    assert!(nobody.sessions().is_ok() && !nobody.has_principals().unwrap());
    let first = nobody
        .add_principal("x", &["read=**".parse().unwrap()])
        .unwrap_err();
    assert_eq!(first.kind(), ErrorKind::InvalidInput);
    let log = nobody.audit_log(&AuditQuery::default()).unwrap();
    assert!(log.entries[0].note.as_deref() == Some("all were removed"));
}

#[test]
fn rules_are_read_as_they_are_written() {
    for text in ["read,restore=bot/*", "all=**", "create=bot/1"] {
        assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
    }
    for bad in [
        "",
        "read",
        "=bot/*",
        "fly=bot/*",
        "read=",
        "read=[",
        "read,=bot/*",
    ] {
        assert_eq!(
            bad.parse::<Rule>().unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{bad}"
        );
    }
}

/// A program that asks again and again does not fill the log.
#[test]
fn the_same_denial_is_written_down_once_in_a_while() {
    let place = Place::new();
    let nobody = Options::default().program("admin");
    let nobody = nobody.open(place.folder.path()).unwrap();
    let denied = || {
        let query = AuditQuery {
            outcome: Some(AuditOutcome::Denied),
            ..AuditQuery::default()
        };
        place.admin().audit_log(&query).unwrap().entries
    };
    let before = denied().len();
    for _ in 0..20 {
        nobody.sessions().unwrap_err();
    }
    let now = denied();
    assert_eq!(now.len(), before + 1);
    // It calls itself what a principal is called, and is none.
    assert_eq!(now[0].who, "admin (no principal)");
    nobody.erase_session("bot/1").unwrap_err();
    assert_eq!(denied().len(), before + 2);
}
