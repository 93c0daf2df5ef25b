//! The bot is killed at random moments, in half of the rounds a node with it, and comes back.

use std::collections::BTreeMap;

use dalsegno::Engine;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::guild::long;
use crate::house::{Bot, House};
use crate::truth::Truth;

struct Evening {
    house: House,
    guilds: BTreeMap<u64, Truth>,
    rng: StdRng,
    /// How the guilds came back, and how often.
    how: BTreeMap<String, usize>,
    furthest_back: u64,
}

/// Seven kills and 50 guilds, or 25 and 1,000.
#[test]
fn a_bot_that_is_killed_comes_back_with_all_its_guilds() {
    let (guilds, rounds, every) = if long() {
        (1_000, 25, 2_000)
    } else {
        (50, 7, 1_000)
    };
    let seed = if long() { rand::random() } else { 20 };
    println!("seed {seed}");
    let mut evening = Evening {
        house: House::new(guilds, every),
        guilds: (0..guilds)
            .map(|guild| (guild, Truth::new(guild)))
            .collect(),
        rng: StdRng::seed_from_u64(seed),
        how: BTreeMap::new(),
        furthest_back: 0,
    };
    for round in 0..rounds {
        evening.round(round);
    }
    let mut bot = evening.house.bot(seed);
    evening.comes_back(&mut bot, false);
    bot.kill();
    println!(
        "{rounds} kills of {guilds} guilds: {:?}; furthest back {} ms, saved every {every} ms",
        evening.how, evening.furthest_back
    );
    let engine = Engine::open(evening.house.store()).unwrap();
    assert!(engine.verify(None).unwrap().is_intact());
}

impl Evening {
    fn round(&mut self, round: usize) {
        let seed = self.rng.random_range(0..u64::from(u32::MAX));
        let mut bot = self.house.bot(seed);
        // The first one has to have something to come back to.
        if round == 0 || self.rng.random_bool(0.7) {
            self.comes_back(&mut bot, round == 0);
            self.works(&mut bot);
        } else {
            let lines = self.rng.random_range(0..self.house.guilds);
            for _ in 0..lines {
                let said = bot.says().expect("it ended by itself");
                assert_ne!(said[0], "doing", "it was to be killed before that");
            }
        }
        for _ in 0..self.rng.random_range(0..2_000_000) {
            std::hint::spin_loop();
        }
        bot.kill();
        while let Some(words) = bot.says() {
            self.note(&words);
        }
        // What was dead until now is replaced.
        let dead: Vec<_> = self
            .house
            .nodes
            .iter()
            .filter(|(_, node)| node.is_dead())
            .collect();
        let dead: Vec<&'static str> = dead.into_iter().map(|(name, _)| *name).collect();
        if !dead.is_empty() {
            dead.into_iter().for_each(|name| self.house.replace(name));
        } else if self.rng.random_bool(0.5) {
            let name = *["one", "two"].choose(&mut self.rng).unwrap();
            self.dies(name);
            if self.rng.random_bool(0.5) {
                self.house.replace(name);
            }
        }
        self.hear(false);
    }

    /// Waits until all are there again, and looks whether they are as they were.
    fn comes_back(&mut self, bot: &mut Bot, first: bool) {
        let mut said = BTreeMap::new();
        loop {
            let words = bot.says().expect("it ended by itself");
            match &*words[0] {
                "brought" => *self.how.entry(words[2].clone()).or_default() += 1,
                "state" => {
                    let state = words[2..].join(" ");
                    let state: Value = serde_json::from_str(&state).unwrap();
                    said.insert(words[1].parse::<u64>().unwrap(), state);
                }
                "ready" => break,
                other => panic!("{other}"),
            }
        }
        self.hear(first);
        for (guild, state) in &said {
            let (_, there) = self
                .house
                .player(*guild)
                .unwrap_or_else(|| panic!("{guild}: {state}"));
            self.guilds
                .get_mut(guild)
                .unwrap()
                .comes_back(state, &there);
        }
    }

    /// Lets the bot work on its guilds for a while.
    fn works(&mut self, bot: &mut Bot) {
        bot.works();
        let enough = self.rng.random_range(0..60);
        for _ in 0..enough {
            let words = bot.says().expect("it ended by itself");
            self.note(&words);
        }
    }

    fn note(&mut self, words: &[String]) {
        let guild = |words: &[String]| words.get(1).and_then(|guild| guild.parse().ok());
        let Some(truth) = guild(words).and_then(|guild: u64| self.guilds.get_mut(&guild)) else {
            return;
        };
        match (&*words[0], words) {
            ("doing", [_, _, what, how]) => truth.doing(what, how),
            ("doing", [_, _, what]) => truth.doing(what, ""),
            ("ack", _) => truth.done(),
            _ => {}
        }
    }

    /// A node dies while the bot is dead: what was on it is only in the store.
    fn dies(&mut self, name: &'static str) {
        let players: BTreeMap<u64, _> = (0..self.house.guilds)
            .filter_map(|guild| Some((guild, self.house.player(guild)?)))
            .collect();
        self.house.kill(name);
        let now = jiff::Timestamp::now();
        self.hear(false);
        let engine = Engine::open(self.house.store()).unwrap();
        for (guild, (on, there)) in players {
            if on != name {
                continue;
            }
            let saved = engine.restore(&format!("sonora/{guild}@latest")).unwrap();
            let age = now.duration_since(saved.snapshot().created_at).as_millis();
            let state: Value = saved.to().unwrap();
            let truth = self.guilds.get_mut(&guild).unwrap();
            let age = u64::try_from(age).unwrap_or(0);
            let back = truth.killed(&there, &state, age, self.house.every);
            self.furthest_back = self.furthest_back.max(back);
        }
        engine.close().unwrap();
    }

    /// Looks at all that was heard.
    fn hear(&mut self, first: bool) {
        for (guild, truth) in &mut self.guilds {
            truth.hears(&self.house.heard(*guild), first);
        }
    }
}
