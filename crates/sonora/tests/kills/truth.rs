//! What a guild may hear: its tracks in order, each from its beginning, and nothing else, unless its node was killed.

use std::collections::BTreeSet;

use dalsegno_scripted::{Heard, PlayerView, Sound};
use serde_json::Value;

use crate::guild::Kind;

/// How much longer than the interval a save may be on its way: this machine may be busy with other things.
const SLACK: u64 = 10_000;

/// A guild as it should be.
pub(crate) struct Truth {
    pub(crate) guild: u64,
    kind: Kind,
    tracks: Vec<String>,
    /// How many tracks have begun.
    begun: usize,
    /// Its node was killed: it goes on from here, in milliseconds.
    cut: Option<u64>,
    volume: u16,
    paused: bool,
    /// What the bot began to do, and was not told that it is safe.
    doing: Option<(String, String)>,
}

impl Truth {
    pub(crate) fn new(guild: u64) -> Self {
        let kind = Kind::of(guild);
        Self {
            guild,
            kind,
            tracks: kind.tracks(),
            begun: 0,
            cut: None,
            volume: kind.volume(),
            paused: kind == Kind::Paused,
            doing: None,
        }
    }

    fn track(&self, number: usize) -> &str {
        match self.kind {
            Kind::LoopTrack => &self.tracks[0],
            Kind::LoopQueue => &self.tracks[number % self.tracks.len()],
            _ => &self.tracks[number],
        }
    }

    /// The bot is about to do something.
    pub(crate) fn doing(&mut self, what: &str, how: &str) {
        if what == "add" {
            self.tracks.push(how.to_owned());
        }
        self.doing = Some((what.to_owned(), how.to_owned()));
    }

    /// What it did is safe.
    pub(crate) fn done(&mut self) {
        match self.doing.take() {
            Some((what, how)) if what == "volume" => self.volume = how.parse().unwrap(),
            Some((what, how)) if what == "paused" => self.paused = how.parse().unwrap(),
            _ => {}
        }
    }

    /// What was heard since the last time.
    pub(crate) fn hears(&mut self, heard: &[Heard], first: bool) {
        for (index, one) in heard.iter().enumerate() {
            let fine = match &one.sound {
                Sound::Started {
                    identifier,
                    position,
                } => self.starts(identifier, *position),
                Sound::Ended => self.kind.moves(),
                Sound::Stopped | Sound::Sought { .. } | Sound::Disconnected => false,
                Sound::Connected | Sound::Filters(_) => first || self.cut.is_some(),
                Sound::Volume(_) | Sound::Paused | Sound::Unpaused => {
                    first || self.cut.is_some() || self.kind == Kind::Busy
                }
            };
            assert!(
                fine,
                "guild {} ({:?}), {} tracks begun, cut {:?}: {one:?} after {:?}",
                self.guild,
                self.kind,
                self.begun,
                self.cut,
                &heard[index.saturating_sub(4)..index]
            );
        }
    }

    fn starts(&mut self, identifier: &str, position: u64) -> bool {
        let again = self.begun > 0 && identifier == self.track(self.begun - 1);
        if again && self.cut == Some(position) {
            return true;
        }
        if again && position > 0 && self.kind == Kind::Restored {
            return true;
        }
        let next = position == 0 && identifier == self.track(self.begun);
        if next {
            self.begun += 1;
            // Whoever hears the next one cannot go back.
            self.cut = None;
        }
        next
    }

    /// Its node was killed when the player on it was like this; `saved` is what the store has of it. Answers how far back it
    /// goes, in milliseconds.
    pub(crate) fn killed(
        &mut self,
        there: &PlayerView,
        saved: &Value,
        age: u64,
        every: u64,
    ) -> u64 {
        let (current, upcoming) = (&saved["queue"]["current"], &saved["queue"]["upcoming"]);
        let name = |track: &Value| track["identifier"].as_str().unwrap().to_owned();
        let left: Vec<String> = std::iter::once(current)
            .chain(upcoming.as_array().unwrap())
            .map(name)
            .collect();
        let number = self.number(&left);
        // A stream goes on where it is by now.
        let stream = self.kind == Kind::Stream && number == 0;
        let position = match stream {
            true => 0,
            false => saved["player"]["position"].as_u64().unwrap(),
        };
        let back = if stream {
            0
        } else if number + 1 == self.begun {
            there.position.saturating_sub(position)
        } else {
            age
        };
        assert!(
            number < self.begun + 1 && back <= every + SLACK,
            "guild {} goes back by {back} ms: track {number} of {} begun, at {position}, {there:?}",
            self.guild,
            self.begun
        );
        (self.begun, self.cut) = (number + 1, Some(position));
        back
    }

    /// Which track is the first of those that are left.
    fn number(&self, left: &[String]) -> usize {
        match self.kind {
            Kind::LoopTrack => self.begun - 1,
            Kind::LoopQueue => (self.begun.saturating_sub(2)..=self.begun)
                .rev()
                .find(|number| self.track(*number) == left[0])
                .unwrap(),
            _ => {
                assert!(self.is_tail(left), "guild {}: {left:?}", self.guild);
                self.tracks
                    .iter()
                    .position(|it| *it == left[0])
                    .map_or(0, |_| {
                        let newest = self.unsaved().filter(|newest| left.last() != Some(newest));
                        self.tracks.len() - usize::from(newest.is_some()) - left.len()
                    })
            }
        }
    }

    /// A track that was being added.
    fn unsaved(&self) -> Option<&String> {
        let adding = self.doing.as_ref().filter(|(what, _)| what == "add");
        adding.map(|(_, track)| track)
    }

    /// Whether these are the tracks that are left, from some track on: none is missing, none twice.
    fn is_tail(&self, left: &[String]) -> bool {
        let without = self
            .unsaved()
            .map(|_| &self.tracks[..self.tracks.len() - 1]);
        self.tracks.ends_with(left) || without.is_some_and(|tracks| tracks.ends_with(left))
    }

    /// The bot is there again, and says that the guild is like this; so says the node.
    pub(crate) fn comes_back(&mut self, said: &Value, there: &PlayerView) {
        let left: Vec<String> = serde_json::from_value(said["tracks"].clone()).unwrap();
        let guild = self.guild;
        match self.kind {
            Kind::LoopTrack => assert_eq!(left, self.tracks, "guild {guild}"),
            Kind::LoopQueue => {
                let (left, all): (BTreeSet<_>, BTreeSet<_>) =
                    (left.iter().collect(), self.tracks.iter().collect());
                assert_eq!(left, all, "guild {guild}");
            }
            _ => {
                assert!(self.is_tail(&left), "guild {guild}: {left:?}");
                if self
                    .unsaved()
                    .is_some_and(|track| left.last() != Some(track))
                {
                    self.tracks.pop();
                }
                if !self.kind.moves() {
                    assert_eq!(
                        self.tracks.len() - left.len() + 1,
                        self.begun,
                        "guild {guild}"
                    );
                }
            }
        }
        let volume = said["volume"].as_u64().unwrap();
        let (paused, was) = (said["paused"].as_bool().unwrap(), self.doing.take());
        match was {
            Some((what, how)) if what == "volume" && how == volume.to_string() => {
                self.volume = how.parse().unwrap();
            }
            Some((what, how)) if what == "paused" && how == paused.to_string() => {
                self.paused = paused;
            }
            // It plays again with the next track.
            _ => {}
        }
        assert_eq!(
            (volume, paused),
            (self.volume.into(), self.paused),
            "guild {guild}"
        );
        let filters = &said["filters"]["filter_config"]["timescale"];
        assert_eq!(
            filters.is_object(),
            self.kind == Kind::Filtered,
            "guild {guild}: {said}"
        );
        assert_eq!(
            (there.volume, there.paused, there.connected),
            (self.volume.into(), self.paused, true),
            "guild {guild}"
        );
        assert_eq!(
            there.filters["timescale"].is_object(),
            self.kind == Kind::Filtered,
            "guild {guild}"
        );
        if !self.kind.moves() {
            assert_eq!(there.identifier.as_ref(), left.first(), "guild {guild}");
        }
        self.cut = None;
    }
}
