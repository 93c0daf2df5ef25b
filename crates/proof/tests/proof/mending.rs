//! A program is killed, or its disk is full, while it repairs a store or builds it anew: it is as it was, or repaired, or the
//! next call finishes it; and what was intact stays so all the way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dalsegno::{Engine, ErrorKind, Options, Repair};
use dalsegno_faults::{Disk, Fault, PowerLoss};
use dalsegno_proof::{STORE, effort, long, on, state};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const MIRROR: &str = "mirror.db";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Repair,
    Rebuild,
}

/// What can be had of each snapshot: its text, and whether it is marked.
type Had = BTreeMap<String, Option<(Vec<u8>, bool)>>;

/// A damaged store and its mirror, what of it is intact, and what a repair that nobody disturbs makes of it.
struct Template {
    verb: Verb,
    damaged: Vec<u8>,
    mirror: Vec<u8>,
    ids: Vec<String>,
    before: Had,
    after: Had,
}

fn had(engine: &Engine, ids: &[String]) -> Had {
    let one = |id: &String| {
        let restored = engine.restore(id).ok();
        let had = restored.map(|it| (it.text().to_vec(), it.snapshot().repaired.is_some()));
        (id.clone(), had)
    };
    ids.iter().map(one).collect()
}

fn save(path: &Path, numbers: std::ops::Range<u64>, ids: &mut Vec<String>) {
    let engine = Engine::open(path).unwrap();
    for n in numbers {
        for who in 0..3 {
            let saved = engine
                .save_json(&format!("s/{who}"), state(who, n))
                .commit()
                .unwrap();
            ids.push(saved.id.to_string());
        }
    }
    engine.close().unwrap();
}

impl Template {
    fn of(verb: Verb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(STORE);
        Engine::create(&path).unwrap().close().unwrap();
        let mut ids = Vec::new();
        save(&path, 0..70, &mut ids);
        let mirror = std::fs::read(&path).unwrap();
        save(&path, 70..90, &mut ids);
        damage(verb, &path);
        let mut template = Self {
            verb,
            damaged: std::fs::read(&path).unwrap(),
            mirror,
            ids,
            before: Had::new(),
            after: Had::new(),
        };
        if verb == Verb::Repair {
            template.before = had(&Engine::open(&path).unwrap(), &template.ids);
        }
        std::fs::write(folder.path().join(MIRROR), &template.mirror).unwrap();
        template.run(&path);
        template.after = had(&Engine::open(&path).unwrap(), &template.ids);
        let back = template.after.values().flatten().count();
        assert!(back > 200, "{back} of {}", template.ids.len());
        template
    }

    /// Puts the store and its mirror into a folder.
    fn put(&self, folder: &Path) -> PathBuf {
        let path = folder.join(STORE);
        std::fs::write(&path, &self.damaged).unwrap();
        std::fs::write(folder.join(MIRROR), &self.mirror).unwrap();
        path
    }

    /// Does it here.
    fn run(&self, path: &Path) {
        let mirror = Engine::open(path.with_file_name(MIRROR)).unwrap();
        match self.verb {
            Verb::Repair => {
                let engine = Engine::open(path).unwrap();
                engine.repair(&Repair::default().from(&mirror)).unwrap();
                engine.close().unwrap();
            }
            Verb::Rebuild => drop(Options::default().rebuild(path, &[&mirror]).unwrap()),
        }
    }

    fn command(&self, path: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mender"));
        command.args([
            match self.verb {
                Verb::Repair => "repair",
                Verb::Rebuild => "rebuild",
            },
            path.to_str().unwrap(),
            path.with_file_name(MIRROR).to_str().unwrap(),
        ]);
        command
    }

    fn start(&self, path: &Path) -> Child {
        self.command(path).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// How long it takes from its beginning to its end.
    fn duration(&self) -> Duration {
        let folder = tempfile::tempdir().unwrap();
        let path = self.put(folder.path());
        let mut child = self.start(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "begin");
        let begin = Instant::now();
        assert_eq!(lines.next().unwrap().unwrap(), "done");
        let took = begin.elapsed();
        assert!(child.wait().unwrap().success());
        self.check(&path);
        took
    }

    /// What an interrupted one left: nothing that was intact is lost, and done again all is as it should be. Says how far
    /// it came: not at all, in between, or through.
    fn go_on(&self, path: &Path) -> usize {
        let came = match self.verb {
            Verb::Repair => {
                let now = had(&Engine::open(path).unwrap(), &self.ids);
                for (id, before) in &self.before {
                    assert!(before.is_none() || now[id].is_some(), "{id} was intact");
                    let kept = before.is_none() || now[id] == *before;
                    assert!(kept || now[id] == self.after[id], "{id} is another one");
                }
                usize::from(now != self.before) + usize::from(now == self.after)
            }
            Verb::Rebuild => self.rebuilt(path),
        };
        if came < 2 {
            self.run(path);
        }
        self.check(path);
        came
    }

    fn rebuilt(&self, path: &Path) -> usize {
        match std::fs::read(path) {
            Ok(bytes) if bytes == self.damaged => 0,
            Ok(_) => 2,
            Err(_) => {
                for refused in [Engine::open(path), Engine::create(path)] {
                    let Err(refused) = refused else {
                        panic!("it was not refused")
                    };
                    assert_eq!(refused.kind(), ErrorKind::Damaged, "{refused}");
                }
                1
            }
        }
    }

    fn check(&self, path: &Path) {
        let engine = Engine::open(path).unwrap();
        let now = had(&engine, &self.ids);
        assert!(
            now == self.after,
            "it is not what an undisturbed one makes of it"
        );
        assert!(engine.verify(None).unwrap().is_intact());
        let folder = path.parent().unwrap().read_dir().unwrap();
        let names: Vec<String> = folder
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(!names.iter().any(|it| it.contains(".rebuil")), "{names:?}");
    }
}

/// Rows that are not what they were, or pages that are noise.
fn damage(verb: Verb, path: &Path) {
    match verb {
        Verb::Repair => {
            let connection = rusqlite::Connection::open(path).unwrap();
            connection
                .execute_batch(
                    "UPDATE record SET data = zeroblob(50) WHERE rowid % 3 = 0;
                     UPDATE snapshot SET detail = x'00' WHERE rowid % 7 = 0;
                     UPDATE session SET era = 77 WHERE id = 2",
                )
                .unwrap();
        }
        Verb::Rebuild => {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            let pages = file.metadata().unwrap().len() / 4096;
            let mut rng = StdRng::seed_from_u64(7);
            for _ in 0..pages / 12 + 2 {
                let noise: [u8; 512] = rng.random();
                let at = rng.random_range(0..pages) * 4096 + 512 * rng.random_range(0..8);
                file.write_all_at(&noise, at).unwrap();
            }
        }
    }
}

fn kills(verb: Verb) {
    let seed = if long() { rand::random() } else { verb as u64 };
    let template = Template::of(verb);
    let takes = (0..3).map(|_| template.duration()).max().unwrap();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut came = [0; 3];
    for _ in 0..effort(10, 200) {
        let folder = tempfile::tempdir().unwrap();
        let path = template.put(folder.path());
        let mut child = template.start(&path);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "begin\n");
        thread::sleep(takes.mul_f64(rng.random_range(0.0..1.2)));
        child.kill().unwrap();
        child.wait().unwrap();
        came[template.go_on(&path)] += 1;
    }
    println!("{verb:?}, seed {seed}: {takes:?} each; {came:?}");
}

#[test]
fn killed_while_it_repairs() {
    kills(Verb::Repair);
}

#[test]
fn killed_while_it_builds_anew() {
    kills(Verb::Rebuild);
}

/// Files can only grow so long.
#[test]
fn a_full_disk_while_it_builds_anew() {
    let template = Template::of(Verb::Rebuild);
    let whole = template.damaged.len() / 512;
    let tries = effort(8, 200);
    let mut failed = 0;
    for nth in 0..tries {
        let folder = tempfile::tempdir().unwrap();
        let path = template.put(folder.path());
        let blocks = whole * nth / tries;
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let command = template.command(&path);
        let ran = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .output()
            .unwrap();
        failed += usize::from(!ran.status.success());
        template.go_on(&path);
    }
    assert!(failed > tries / 4, "{failed} of {tries}");
}

#[test]
fn a_disk_that_fails_or_is_full_while_it_repairs() {
    let template = Template::of(Verb::Repair);
    let disk = || {
        let disk = Disk::new();
        disk.put(STORE, template.damaged.clone());
        disk.put(MIRROR, template.mirror.clone());
        disk
    };
    let run = |disk: &Disk| {
        let mirror = on(disk).open(MIRROR)?;
        let engine = on(disk).open(STORE)?;
        let done = engine.repair(&Repair::default().from(&mirror));
        done.map(drop)
    };
    let whole = disk();
    run(&whole).unwrap();
    let count = whole.operations();
    let step = (count / effort(9, 200)).max(1);
    let mut failed = 0;
    for (nth, at) in (0..count).step_by(step).enumerate() {
        let fault = [Fault::Full, Fault::Io, Fault::Torn][nth % 3];
        let disk = disk();
        disk.fail_at(at, fault);
        failed += usize::from(run(&disk).is_err());
        disk.lift_faults();
        for disk in [disk.crash(PowerLoss::Random(at as u64)), disk.clone()] {
            let now = had(&on(&disk).open(STORE).unwrap(), &template.ids);
            for (id, before) in &template.before {
                assert!(
                    before.is_none() || now[id].is_some(),
                    "{fault:?} at {at}: {id} was intact"
                );
            }
            run(&disk).unwrap();
            let now = had(&on(&disk).open(STORE).unwrap(), &template.ids);
            assert!(now == template.after, "{fault:?} at {at}");
        }
    }
    assert!(failed > 3, "{failed}");
}
