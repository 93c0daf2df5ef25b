//! A program is killed while it turns encryption on or off, rotates or removes a key, or erases a session: it did it, or
//! nothing of it, every state is there, and done again nothing is left of what is to be gone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dalsegno::Secret;
use dalsegno_proof::history::OURS;
use dalsegno_proof::{effort, long};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::turned::{Came, Decrypt, Encrypt, Erase, EraseInClear, Remove, Rotate, Template, Verb};

impl Template {
    fn start(&self, path: &Path) -> Child {
        let text = |secret: &Secret| secret.to_text().unwrap().to_string();
        let last = match self.verb {
            Erase | EraseInClear => OURS.to_owned(),
            _ => text(&self.other),
        };
        Command::new(env!("CARGO_BIN_EXE_turner"))
            .args([
                self.verb.word(),
                path.to_str().unwrap(),
                &text(&self.secret),
                &last,
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
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
        self.nothing_left(&path);
        took
    }

    /// Starts it, and kills it at a random moment.
    fn kill(&self, rng: &mut StdRng, takes: Duration) -> Came {
        let folder = tempfile::tempdir().unwrap();
        let path = self.put(folder.path());
        let mut child = self.start(&path);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        // One in eight before it begins, some after it ends.
        let early = rng.random_bool(0.125);
        if !early {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            assert_eq!(line, "begin\n");
        }
        let wait = takes.mul_f64(rng.random_range(0.0..1.2));
        thread::sleep(if early { wait / 16 } else { wait });
        child.kill().unwrap();
        child.wait().unwrap();
        self.go_on(&path)
    }
}

/// So many kills; how often it came nowhere, between and through.
fn kills(verb: Verb) {
    let seed = if long() { rand::random() } else { verb as u64 };
    let template = Template::of(verb);
    let takes = (0..3).map(|_| template.duration()).max().unwrap();
    let begin = Instant::now();
    let half = |half: u64| {
        let mut rng = StdRng::seed_from_u64(seed ^ (half << 32));
        let mut came = [0; 3];
        for _ in 0..effort(6, 100) {
            came[template.kill(&mut rng, takes) as usize] += 1;
        }
        came
    };
    let came = thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let mut came = half(0);
        let other = other.join().unwrap();
        came.iter_mut().zip(other).for_each(|(n, m)| *n += m);
        came
    });
    let (rows, took) = (template.bytes.len() / 4096, begin.elapsed());
    println!("{verb:?}, seed {seed}: {rows} pages, {takes:?} each; {came:?} in {took:?}");
    assert!(!long() || came.iter().all(|n| *n > 0), "{came:?}");
}

#[test]
fn while_it_encrypts() {
    kills(Encrypt);
}

#[test]
fn while_it_decrypts() {
    kills(Decrypt);
}

#[test]
fn while_it_rotates_a_key() {
    kills(Rotate);
}

#[test]
fn while_it_removes_a_key() {
    kills(Remove);
}

#[test]
fn while_it_erases_a_session() {
    kills(Erase);
}

#[test]
fn while_it_erases_a_session_in_clear() {
    kills(EraseInClear);
}
