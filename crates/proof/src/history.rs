//! A store in clear with a long history, as a program leaves it that is killed, and the words that stand in it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::guard::{GuardPolicy, GuardRule};
use dalsegno::retention::{Policy, Rules};
use dalsegno::{
    Amendment, Attendant, AutoSaving, Back, Engine, Error, ErrorKind, GRACE, Happened, Options,
    Purge, Reply, Request, Result,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::forge::Row;
use crate::state;
use crate::traces::{files_of, rows};

/// The session that the words are of.
pub const OURS: &str = "bot/zephyrine";

/// They stand in that session, its name and all that is said of it, and nowhere else.
pub const OF_OURS: [&str; 22] = [
    "zephyrine",
    "quixotry",
    "Vellichor",
    "tag-of-brume",
    "saudade",
    "wabisabi",
    "petrichor",
    "limerence",
    "susurrus",
    "halcyonic",
    "eudaimon",
    "ephemeron",
    "kenopsia",
    "ludicrine",
    "mellifluo",
    "nemophily",
    "oubliette",
    "parapluie",
    "querencia",
    "rubatosis",
    "villanelle",
    "clinquant",
];

/// Of other sessions, and of none.
pub const OF_OTHERS: [&str; 6] = [
    "ataraxy",
    "Kalopsia",
    "sonderling",
    "trouvaille",
    "umbraphil",
    "sempitern",
];

/// The clock of a machine that was started a second ago: by any other, its programs are long gone.
struct Gone;

impl Clock for Gone {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }

    fn uptime(&self) -> u64 {
        1_000
    }
}

/// Says that it was asked, and answers when it may.
struct Slow(Sender<()>, Receiver<()>);

impl Attendant for Slow {
    fn asked(&mut self, _: &Request) -> Result<Reply> {
        self.0.send(()).unwrap();
        let _ = self.1.recv();
        Ok(Reply::Answer(Value::Null))
    }
}

/// Leaves the store at `path`, and gives the rows that it had now and then.
pub fn leave(path: &Path) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live.db");
    Engine::create(&live).unwrap().close().unwrap();
    let open = |program: &str| -> Engine {
        let options = Options::default().clock(Arc::new(Gone)).program(program);
        options.open(&live).unwrap()
    };
    let engine = Arc::new(open("sempitern"));
    let mut seen = Vec::new();
    fill(&engine, folder.path(), &mut || seen.extend(rows(&live)));

    let listener = engine.subscribe();
    let saving = engine.auto_save().unwrap();
    let how = AutoSaving::every(Duration::from_millis(5));
    let fails = || Err(Error::new(ErrorKind::Storage, "rubatosis"));
    saving.register(OURS, how, fails).unwrap();
    let failed = |what: &Happened| matches!(what, Happened::AutoSaveFailed { .. });
    listener
        .into_iter()
        .find(|event| failed(&event.what))
        .unwrap();

    let ((asked, is_asked), (go_on, may_go_on)) = (channel(), channel());
    let attending = engine.attend(Slow(asked, may_go_on)).unwrap();
    let asker = open("the asker");
    let given_up = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let ask = asker.ask(OURS, "parapluie");
            let ask = ask
                .arguments(json!({"a": "querencia"}))
                .state("[\"villanelle\"]");
            // It is given up in the end.
            drop(ask.give_up_when(|| given_up.load(Ordering::Relaxed)).send());
        });
        is_asked.recv().unwrap();
        seen.extend(rows(&live));
        for (end, bytes) in files_of(&live) {
            let mut file = path.as_os_str().to_owned();
            file.push(end);
            if end != "-shm" {
                std::fs::write(file, bytes).unwrap();
            }
        }
        given_up.store(true, Ordering::Relaxed);
        drop(go_on);
    });
    attending.stop();
    seen
}

/// A session with all that a session can have, much of it long gone or in the trash, and others.
fn fill(engine: &Engine, folder: &Path, look: &mut dyn FnMut()) {
    engine.audit_on().unwrap();
    let other = engine.save_json("bot/ataraxy", "[\"Kalopsia\", 1]");
    other.commit().unwrap();
    for n in 0..140 {
        let mut save = engine.save_json(OURS, state(0, n));
        if n == 3 {
            save = save.name("ephemeron").tag("kenopsia");
        }
        save.commit().unwrap();
        if n == 60 {
            look();
        }
    }
    let told = json!({ "messages": ["Vellichor", "of old shops"], "wabisabi": 1 });
    let save = engine.save(OURS, &told).name("quixotry");
    let save = save.tag("tag-of-brume").label("saudade");
    let save = save.description("petrichor").meta("limerence", "susurrus");
    let save = save.intent("halcyonic").schema_version("eudaimon");
    save.commit().unwrap();
    for word in ["ludicrine", "mellifluo", "nemophily"] {
        let save = engine.save(OURS, &json!([word]));
        save.name(word).commit().unwrap();
    }
    engine.flush().unwrap();
    look();
    // One goes for good, one stays in the trash, one has another name since.
    let at = |name: &str| format!("{OURS}@{name}");
    engine
        .delete(&[&at("ludicrine"), &at("ephemeron")], GRACE)
        .unwrap();
    engine.purge(&Purge::All(None), &mut |_| {}).unwrap();
    engine.delete(&[&at("mellifluo")], GRACE).unwrap();
    let renamed = Amendment::Name(Some("oubliette".to_owned()));
    engine.amend(&at("nemophily"), &renamed).unwrap();
    look();
    let file = folder.join("clinquant.json");
    engine
        .put_back(&at("quixotry"))
        .to_file(file)
        .apply()
        .unwrap();
    engine
        .rollback(OURS, &Back::Steps(2))
        .unwrap()
        .apply()
        .unwrap();
    engine.undo(OURS).unwrap().apply().unwrap();
    let policy = Policy::new("trouvaille/*", Rules::new().keep_last(500));
    engine.set_policy(&policy).unwrap();
    let guard = GuardPolicy::new("umbraphil/*").list(GuardRule::new("upcoming"));
    engine.set_guard(&guard).unwrap();
    let other = engine.save_json("bot/sonderling", state(1, 7));
    other.commit().unwrap();
}
