//! A program is killed while it makes a backup, also beside one that saves, or restores one: there is no backup more than
//! before or one that is whole, no store or a whole one, and the same call goes on.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use dalsegno::{MakeBackup, RestoreBackup, Secret, list_backups, verify_backup};
use dalsegno_proof::backups::{Kept, go_on};
use dalsegno_proof::{effort, long};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::kills::{Promises, check, note, saver};

/// What the program is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Full,
    Incremental,
    Restore,
}

/// How often it came where.
#[derive(Debug, Default)]
struct Came {
    /// Nothing is left of it.
    nowhere: usize,
    between: usize,
    through: usize,
    /// How often what it had written was gone on with.
    gone_on: usize,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Restore => "restore",
        }
    }

    /// The backup that it makes.
    fn how(self, kept: &Kept) -> MakeBackup {
        match self {
            Self::Incremental => MakeBackup::incremental(kept.backups()),
            _ => MakeBackup::full(kept.backups()),
        }
    }

    /// A store as it is before.
    fn template(self, secret: Option<Secret>) -> Kept {
        let mut kept = Kept::new(secret, 1);
        if self != Self::Full {
            kept.save(100, 6000);
            kept.back_up(&MakeBackup::full(kept.backups())).unwrap();
        }
        kept.save(if self == Self::Restore { 20 } else { 200 }, 6000);
        if self == Self::Restore {
            kept.back_up(&MakeBackup::incremental(kept.backups()))
                .unwrap();
        }
        kept
    }

    /// Starts the program, which has said that it begins.
    fn start(self, kept: &Kept) -> (Child, BufReader<impl Read>) {
        let store = match self {
            Self::Restore => again(kept),
            _ => kept.store(),
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_backer"))
            .arg(self.word())
            .args([store, kept.backups()])
            .args(
                kept.secret
                    .iter()
                    .map(|it| it.to_text().unwrap().to_string()),
            )
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut out), "begin\n");
        (child, out)
    }

    /// How long it takes from its beginning to its end.
    fn duration(self, kept: &Kept) -> Duration {
        let kept = kept.copy();
        let (mut child, mut out) = self.start(&kept);
        let begin = Instant::now();
        assert_eq!(line(&mut out), "done\n");
        child.wait().unwrap();
        begin.elapsed()
    }

    /// Starts it, and kills it at a random moment; whether it said before that it is done.
    fn kill(self, kept: &Kept, takes: Duration, random: &mut StdRng) -> bool {
        let (mut child, mut out) = self.start(kept);
        thread::sleep(takes.mul_f64(random.random_range(0.0..1.1)));
        child.kill().unwrap();
        child.wait().unwrap();
        match line(&mut out).as_str() {
            "" => false,
            "done\n" => true,
            other => panic!("{other}"),
        }
    }
}

fn line(out: &mut impl BufRead) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line
}

/// Where the program restores to.
fn again(kept: &Kept) -> PathBuf {
    kept.folder.path().join("again.db")
}

/// The archives of complete backups. None of them is unreadable, and one at most is not complete.
fn complete(kept: &Kept) -> (Vec<PathBuf>, usize) {
    if !kept.backups().exists() {
        return (Vec::new(), 0);
    }
    let there = list_backups(kept.backups()).unwrap();
    assert!(there.unreadable.is_empty(), "{:?}", there.unreadable);
    assert!(there.unfinished.len() < 2, "{:?}", there.unfinished);
    let paths = there.complete.into_iter().map(|it| it.path).collect();
    (paths, there.unfinished.len())
}

/// Kills backups of a store that nobody else uses.
fn kill_backups(verb: Verb, template: &Kept, count: usize, seed: u64) -> Came {
    let mut random = StdRng::seed_from_u64(seed);
    let takes = (0..3).map(|_| verb.duration(template)).max().unwrap();
    let (mut came, mut kills) = (Came::default(), 0);
    while kills < count {
        let kept = template.copy();
        // Some of those that go on are killed too.
        for _ in 0..random.random_range(1..4) {
            let before = complete(&kept).0.len();
            let said = verb.kill(&kept, takes, &mut random);
            kills += 1;
            let (now, unfinished) = complete(&kept);
            match (now.len() - before, unfinished) {
                (0, 0) => came.nowhere += 1,
                (0, _) => came.between += 1,
                (1, 0) => came.through += 1,
                more => panic!("{more:?}"),
            }
            assert!(!said || now.len() > before, "it said that it did it");
            if now.len() > before {
                let newest = now.last().unwrap();
                let secret = kept.secret.as_ref();
                let found = verify_backup(newest, secret, &mut go_on).unwrap();
                assert!(found.is_whole(), "{found:?}");
                kept.is_exactly(&kept.restored(newest)).unwrap();
            }
        }
        finish(verb, &kept, &mut came, |restored| {
            kept.is_exactly(restored).unwrap();
        });
    }
    came
}

/// The same call, which is not killed.
fn finish(verb: Verb, kept: &Kept, came: &mut Came, check: impl FnOnce(&dalsegno::Engine)) {
    let left = complete(kept).1;
    let made = kept.back_up(&verb.how(kept)).unwrap();
    assert!(left == 1 || made.found_bytes == 0, "{made:?}");
    came.gone_on += usize::from(made.found_bytes > 0);
    let (now, unfinished) = complete(kept);
    assert_eq!((now.last(), unfinished), (Some(&made.backup.path), 0));
    check(&kept.restored(&made.backup.path));
    // The store knows of all of them, also of those that were made and could not be noted any more.
    let known = kept.open().known_backups().unwrap();
    let known: BTreeSet<String> = known.into_iter().map(|it| it.id).collect();
    let there = list_backups(kept.backups()).unwrap().complete;
    assert_eq!(known, there.into_iter().map(|it| it.id).collect());
}

/// The program that saves meanwhile, and what it promised.
struct Beside {
    child: Child,
    lines: Receiver<String>,
    promises: Promises,
}

impl Beside {
    fn begin(kept: &Kept, seed: u64) -> Self {
        let (store, seed) = (kept.store(), seed.to_string());
        let secret = kept.secret.as_ref().map(|it| it.to_text().unwrap());
        let mut arguments = vec!["until-killed", store.to_str().unwrap(), &seed];
        arguments.extend(secret.as_ref().map(|it| it.as_str()));
        let mut child = saver(&arguments);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = channel();
        thread::spawn(move || {
            loop {
                let line = line(&mut out);
                if !line.ends_with('\n') || told.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            promises: Promises::new(),
        }
    }

    /// What it promised until now, at least so many more.
    fn hear(&mut self, more: usize) -> Promises {
        for _ in 0..more {
            let line = self.lines.recv_timeout(Duration::from_secs(120)).unwrap();
            note(&mut self.promises, &line);
        }
        for line in self.lines.try_iter() {
            note(&mut self.promises, &line);
        }
        self.promises.clone()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Kills backups beside a program that saves, packs, closes and opens.
fn kill_beside(verb: Verb, template: &Kept, count: usize, seed: u64) -> Came {
    let mut random = StdRng::seed_from_u64(seed);
    let takes = (0..3).map(|_| verb.duration(template)).max().unwrap();
    let (mut came, mut kills) = (Came::default(), 0);
    while kills < count {
        let kept = template.copy();
        let mut beside = Beside::begin(&kept, random.random());
        for _ in 0..8.min(count - kills) {
            let more = random.random_range(1..20);
            let promised = beside.hear(more);
            let before = complete(&kept).0.len();
            let said = verb.kill(&kept, takes, &mut random);
            kills += 1;
            let (now, unfinished) = complete(&kept);
            match (now.len() - before, unfinished) {
                (0, 0) => came.nowhere += 1,
                (0, _) => came.between += 1,
                (1, 0) => came.through += 1,
                more => panic!("{more:?}"),
            }
            assert!(!said || now.len() > before, "it said that it did it");
            if now.len() > before {
                check(&kept.restored(now.last().unwrap()), &promised);
            }
            let promised = beside.hear(1);
            finish(verb, &kept, &mut came, |restored| {
                check(restored, &promised)
            });
        }
    }
    came
}

/// Kills restores.
fn kill_restores(template: &Kept, count: usize, seed: u64) -> Came {
    let mut random = StdRng::seed_from_u64(seed);
    let verb = Verb::Restore;
    let takes = (0..3).map(|_| verb.duration(template)).max().unwrap();
    let mut came = Came::default();
    let kept = template.copy();
    let into = again(&kept);
    let staging = into.with_file_name(".again.db.restoring");
    for _ in 0..count {
        let left = staging.exists();
        let said = verb.kill(&kept, takes, &mut random);
        assert!(!said || into.exists(), "it said that it did it");
        if into.exists() {
            came.through += 1;
        } else {
            if staging.exists() {
                came.between += 1;
                came.gone_on += usize::from(left);
            } else {
                came.nowhere += 1;
            }
            // Some of those that begin anew are killed too.
            if random.random_bool(0.3) {
                continue;
            }
            let how = RestoreBackup::of(kept.backups());
            kept.options()
                .restore_backup(&how, &into, &mut go_on)
                .unwrap();
            assert!(!staging.exists());
        }
        kept.is_exactly(&kept.options().open(&into).unwrap())
            .unwrap();
        for end in ["", "-wal", "-shm"] {
            drop(fs::remove_file(format!("{}{end}", into.display())));
        }
        drop(fs::remove_dir(&staging));
    }
    came
}

type Kill = fn(Verb, &Kept, usize, u64) -> Came;

/// So many kills, of backups in clear and encrypted.
fn kills(verb: Verb, kill: Kill) {
    let seed = if long() { rand::random() } else { verb as u64 };
    let begin = Instant::now();
    let half = |half: u64| {
        let secret = (half == 1).then(|| Secret::generate().unwrap());
        let template = verb.template(secret);
        kill(verb, &template, effort(3, 100), seed ^ (half << 32))
    };
    thread::scope(|scope| {
        let halves = [0, 1].map(|n| scope.spawn(move || half(n)));
        for half in halves {
            let came = half.join().unwrap();
            println!("{verb:?}, seed {seed}: {came:?}, {:?}", begin.elapsed());
            let all = [came.between, came.through, came.gone_on];
            assert!(!long() || all.iter().all(|n| *n > 0), "{came:?}");
        }
    });
}

#[test]
fn while_it_makes_a_backup() {
    kills(Verb::Full, kill_backups);
}

#[test]
fn while_it_makes_a_backup_of_what_changed() {
    kills(Verb::Incremental, kill_backups);
}

#[test]
fn while_it_makes_a_backup_and_another_saves() {
    kills(Verb::Full, kill_beside);
}

#[test]
fn while_it_makes_a_backup_of_what_changed_and_another_saves() {
    kills(Verb::Incremental, kill_beside);
}

#[test]
fn while_it_restores() {
    kills(Verb::Restore, |_, template, count, seed| {
        kill_restores(template, count, seed)
    });
}
