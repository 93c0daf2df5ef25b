//! Whatever is done to a store between its backups: each of them restores it as it was at that moment.

use std::fs;
use std::sync::Arc;

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::{
    AuditEntry, AuditQuery, BackupKind, Engine, MakeBackup, Options, RestoreBackup, Secret,
};
use dalsegno_proof::backups::go_on;
use dalsegno_proof::house::{House, Picture, choose, furnish};
use dalsegno_proof::{STORE, effort, long};
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

/// Backups are made at that time; each has a number of its own.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }
}

/// A backup, and what the store was when it was made.
struct Made {
    n: u64,
    backup: dalsegno::Backup,
    picture: Picture,
    audit: Vec<AuditEntry>,
}

/// A house, its backups, and which sessions were erased when.
struct Chain {
    folder: TempDir,
    house: House,
    secret: Option<Secret>,
    made: Vec<Made>,
    erased: Vec<(u64, String)>,
    random: StdRng,
    n: u64,
}

/// The rows of the audit log, where there is one.
fn audit(engine: &Engine) -> Vec<AuditEntry> {
    if !engine.is_audited().unwrap() {
        return Vec::new();
    }
    let log = engine.audit_log(&AuditQuery::default()).unwrap();
    assert!(log.damage.is_empty());
    log.entries
}

impl Chain {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut house = House::at(folder.path());
        let secret = (seed % 4 > 1).then(|| Secret::generate().unwrap());
        if let Some(secret) = &secret {
            house = house.sealed(secret.clone());
        }
        house.create().unwrap();
        if seed.is_multiple_of(3) {
            house.engine().unwrap().audit_on().unwrap();
        }
        let n = furnish(&mut house, 12);
        Self {
            folder,
            house,
            secret,
            made: Vec::new(),
            erased: Vec::new(),
            random: StdRng::seed_from_u64(seed),
            n,
        }
    }

    fn options(&self, n: u64) -> Options {
        let options = Options::default().clock(Arc::new(At(House::time(n))));
        match &self.secret {
            Some(secret) => options.secret(secret.clone()),
            None => options,
        }
    }

    /// Does something to the store.
    fn live(&mut self) {
        for _ in 0..self.random.random_range(0..25) {
            self.n += 1;
            let deed = choose(&mut self.house, self.n, &mut self.random).unwrap();
            self.house.answer(self.n, &deed);
        }
        self.n += 1;
        self.house
            .run(self.n, &dalsegno_proof::house::Deed::Close)
            .unwrap();
        if self.random.random_bool(0.3) {
            let engine = self.house.engine().unwrap();
            let sessions = engine.sessions().unwrap();
            if let Some(session) = sessions.choose(&mut self.random) {
                engine.erase_session(session).unwrap();
                self.erased.push((self.n, session.clone()));
            }
        }
    }

    fn back_up(&mut self) {
        self.n += 1;
        let into = self.folder.path().join("backups");
        let base = self.made.choose(&mut self.random);
        let how = match (base, self.random.random_range(0..8)) {
            (_, 0) | (None, _) => MakeBackup::full(&into),
            (Some(base), 1..4) => MakeBackup::differential(&into, &base.backup.id),
            _ => MakeBackup::incremental(&into),
        };
        let picture = self.house.picture().unwrap();
        let engine = self
            .options(self.n)
            .open(self.folder.path().join(STORE))
            .unwrap();
        let audit = audit(&engine);
        let made = engine.back_up(&how, &mut go_on).unwrap();
        assert!(made.passed_over.is_empty(), "{:?}", made.passed_over);
        self.made.push(Made {
            n: self.n,
            backup: made.backup,
            picture,
            audit,
        });
        let made = self.made.last().unwrap();
        self.is_as_it_was(made);
    }

    /// Restores it; what was erased since stays away.
    fn is_as_it_was(&self, made: &Made) {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("again.db");
        let how = RestoreBackup::of(&made.backup.path);
        let restored = self
            .options(self.n + 1)
            .restore_backup(&how, &into, &mut go_on)
            .unwrap();
        assert!(restored.lost.is_empty() && restored.unread.is_empty());
        let again = self.options(self.n + 1).open(&into).unwrap();
        let mut wanted = made.picture.clone();
        let since = self.erased.iter().filter(|(n, _)| *n > made.n);
        let mut gone = 0;
        for (_, session) in since {
            gone += u64::from(wanted.rooms.remove(session).is_some());
            assert!(again.is_erased(session).unwrap());
        }
        assert_eq!(restored.erased, gone);
        let found = Picture::of(&again, made.picture.files.clone()).unwrap();
        let of = format!("{:?} at {}", made.backup.kind, made.n);
        assert!(found == wanted, "{of}: {}", found.difference(&wanted));
        // The log goes on with what the restore did.
        assert!(made.audit.is_empty() || again.audit_check(None).unwrap().is_whole());
        if gone == 0 {
            let now = audit(&again);
            let added = usize::from(!made.audit.is_empty());
            assert!(now[added..] == made.audit[..], "{of}: another log");
        }
    }
}

/// So many lives of a store.
#[test]
fn each_backup_is_of_its_moment() {
    let first = if long() {
        rand::random::<u32>().into()
    } else {
        0
    };
    println!("from seed {first}");
    let half = |half: u64| {
        let mut kinds = [0; 3];
        for seed in (first..first + effort(4, 120) as u64).filter(|seed| seed % 2 == half) {
            let mut chain = Chain::new(seed);
            for _ in 0..6 {
                chain.live();
                chain.back_up();
            }
            for made in &chain.made {
                chain.is_as_it_was(made);
                kinds[match made.backup.kind {
                    BackupKind::Full => 0,
                    BackupKind::Incremental => 1,
                    _ => 2,
                }] += 1;
            }
            // Nobody needs what nothing names: the newest, and those that it needs, are enough.
            let newest = chain.made.last().unwrap();
            for made in &chain.made {
                let id = &made.backup.id;
                if *id != newest.backup.id && !newest.backup.needs.contains(id) {
                    fs::remove_file(&made.backup.path).unwrap();
                }
            }
            chain.is_as_it_was(newest);
        }
        kinds
    };
    let kinds = std::thread::scope(|scope| {
        let halves = [0, 1].map(|n| scope.spawn(move || half(n)));
        halves.map(|it| it.join().unwrap())
    });
    println!("full, incremental, differential: {kinds:?}");
}
