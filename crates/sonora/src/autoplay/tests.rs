#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use super::*;
use crate::queue::Queue;
use crate::track::{Track, TrackInfo};
use dalsegno::List;
use rand::SeedableRng;
use rand::rngs::StdRng;

fn track(title: &str, author: &str) -> Track {
    let info = TrackInfo {
        title: title.to_owned(),
        author: author.to_owned(),
        identifier: format!("{title} by {author}"),
        ..TrackInfo::default()
    };
    Track::new("", info)
}

/// Answers every question with all of its tracks, or none, and remembers the questions.
#[derive(Default)]
struct Shelf {
    tracks: Vec<Track>,
    playlist: Vec<Track>,
    broken: bool,
    asked: Mutex<Vec<String>>,
}

impl Shelf {
    fn of(tracks: &[(&str, &str)]) -> Self {
        Self {
            tracks: tracks
                .iter()
                .map(|(title, author)| track(title, author))
                .collect(),
            ..Self::default()
        }
    }

    fn answer(&self, question: String, tracks: &[Track]) -> Answer<'_> {
        let playlist = question.starts_with("playlist");
        self.asked.lock().unwrap().push(question);
        let answer = match self.broken && !playlist {
            true => Err(Error::new(ErrorKind::Storage, "the node is away")),
            false => Ok(tracks.to_vec()),
        };
        Box::pin(std::future::ready(answer))
    }

    fn next(&self, autoplay: &Autoplay, heard: &[(&str, &str)], current: Option<&Track>) -> Next {
        let history: List<Track> = heard
            .iter()
            .map(|(title, author)| track(title, author))
            .collect();
        let mut rng = StdRng::seed_from_u64(1);
        let next = next(autoplay, self, &history, current, &mut rng);
        // A player's task may run on any thread.
        let next: std::pin::Pin<Box<dyn Future<Output = Next> + Send>> = Box::pin(next);
        pollster::block_on(next)
    }
}

impl Provider for Shelf {
    fn search<'a>(&'a self, query: &'a str, _limit: usize) -> Answer<'a> {
        self.answer(format!("search {query}"), &self.tracks)
    }

    fn popular(&self, _limit: usize) -> Answer<'_> {
        self.answer("popular".to_owned(), &self.tracks)
    }

    fn random(&self, _limit: usize) -> Answer<'_> {
        self.answer("random".to_owned(), &self.tracks)
    }

    fn playlist<'a>(&'a self, name: &'a str, _limit: usize) -> Answer<'a> {
        self.answer(format!("playlist {name}"), &self.playlist)
    }
}

fn by(strategy: Strategy) -> Autoplay {
    Autoplay {
        strategy: strategy.to_string(),
        ..Autoplay::default()
    }
}

fn title(next: &Next) -> Option<&str> {
    next.track.as_ref().map(|track| track.info.title.as_str())
}

#[test]
fn each_strategy_asks_for_what_it_is_about() {
    let shelf = || {
        Shelf::of(&[
            ("Rain on the Lake", "Cy"),
            ("Stones Lake Deep", "Zoe"),
            ("Sun", "Ann"),
            ("Lake of Stones", "Ann"),
            ("Song", "Ann"),
        ])
    };
    for (strategy, asked, found) in [
        (Strategy::SimilarArtist, vec!["search Ann"], "Sun"),
        (
            Strategy::SimilarGenre,
            vec!["search stones lake deep"],
            "Rain on the Lake",
        ),
        (Strategy::Popularity, vec!["popular"], "Rain on the Lake"),
        (
            Strategy::Smart,
            vec!["search Ann", "search stones lake deep"],
            "Lake of Stones",
        ),
    ] {
        let shelf = shelf();
        let heard = [
            ("Song", "Ann"),
            ("Stones in the Lake, deep blue (Official Video)", "Ann"),
        ];
        let next = shelf.next(&by(strategy), &heard, None);
        assert_eq!(title(&next), Some(found), "{strategy}");
        assert_eq!(next.by.as_deref(), Some(strategy.as_str()));
        assert_eq!(*shelf.asked.lock().unwrap(), asked);
        assert!(next.failed.is_empty());
    }
    let chance = shelf();
    assert!(
        chance
            .next(&by(Strategy::Random), &[], None)
            .track
            .is_some()
    );
    assert_eq!(*chance.asked.lock().unwrap(), ["random"]);
}

#[test]
fn what_was_heard_lately_is_not_heard_again() {
    let shelf = Shelf::of(&[("One", "Ann"), ("Two", "Ann"), ("Three", "Ann")]);
    let mut autoplay = by(Strategy::Popularity);
    let heard = [("Three", "Ann"), ("One", "Ann")];
    assert_eq!(
        title(&shelf.next(&autoplay, &heard, Some(&track("Two", "Ann")))),
        None
    );
    autoplay.max_history = 1;
    assert_eq!(
        title(&shelf.next(&autoplay, &heard, Some(&track("Two", "Ann")))),
        Some("Three")
    );
}

#[test]
fn the_fallback_playlist_is_next_and_says_why() {
    for (strategy, kind) in [
        ("similar_artist", ErrorKind::Storage),
        ("smart", ErrorKind::Storage),
        ("astrology", ErrorKind::InvalidInput),
    ] {
        let mut shelf = Shelf::of(&[]);
        shelf.broken = true;
        shelf.playlist = vec![track("Heard", "Bob"), track("Waiting", "Bob")];
        let autoplay = Autoplay {
            strategy: strategy.to_owned(),
            ..Autoplay::default()
        };
        let next = shelf.next(&autoplay, &[("Heard", "Bob")], None);
        assert_eq!(title(&next), Some("Waiting"));
        assert_eq!(next.by.as_deref(), Some("fallback_playlist"));
        assert_eq!(next.failed.len(), 1);
        assert_eq!(
            (next.failed[0].by.as_str(), next.failed[0].error.kind()),
            (strategy, kind)
        );
        assert_eq!(
            shelf.asked.lock().unwrap().last().unwrap(),
            "playlist global_fallback"
        );
    }
}

#[test]
fn nothing_found_is_no_track_and_two_reasons() {
    let next = Shelf::default().next(&Autoplay::default(), &[("Song", "Ann")], None);
    assert!(next.track.is_none() && next.by.is_none());
    let kinds: Vec<ErrorKind> = next
        .failed
        .iter()
        .map(|failure| failure.error.kind())
        .collect();
    assert_eq!(kinds, [ErrorKind::NotFound, ErrorKind::NotFound]);
}

#[test]
fn nobody_is_asked_when_it_is_off() {
    let shelf = Shelf::of(&[("One", "Ann")]);
    let off = Autoplay {
        enabled: false,
        ..Autoplay::default()
    };
    assert!(shelf.next(&off, &[], None).track.is_none());
    assert!(shelf.asked.lock().unwrap().is_empty());
}

#[test]
fn it_is_stored_as_sonora_stores_it_and_comes_back() {
    let stored = json!({
        "enabled": true, "strategy": "similar_artist", "fallback_playlist": "global_fallback", "max_history": 50,
        "smart_shuffle": true,
    });
    assert_eq!(Autoplay::default().stored(), stored);
    assert_eq!(
        Autoplay::read(&json!({"enabled": "yes", "max_history": null})),
        Autoplay::default()
    );
    let own = json!({
        "enabled": false, "strategy": "astrology", "fallback_playlist": "", "max_history": 3, "smart_shuffle": false,
        "stars": [1],
    });
    assert_eq!(Autoplay::read(&own).stored(), own);
}

#[test]
fn a_wrong_configuration_changes_nothing() {
    let mut autoplay = Autoplay::default();
    for (wrong, says) in [
        (
            json!({"max_history": 5, "strategy": "astrology"}),
            "similar_artist, similar_genre, popularity, random, smart",
        ),
        (
            json!({"max_history": 5, "enabled": 1}),
            "enabled of autoplay",
        ),
        (
            json!({"max_history": 5, "speed": 1}),
            "autoplay has no \"speed\"",
        ),
    ] {
        let error = autoplay.configure(wrong.as_object().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(autoplay, Autoplay::default());
    }
    let right = json!({"max_history": 5, "strategy": "smart"});
    autoplay.configure(right.as_object().unwrap()).unwrap();
    assert_eq!(
        (autoplay.max_history, autoplay.strategy.as_str()),
        (5, "smart")
    );
}

#[test]
fn tracks_heard_lately_go_last() {
    let mut queue = Queue::default();
    let titles = |queue: &Queue| {
        queue
            .upcoming
            .iter()
            .map(|track| track.info.title.clone())
            .collect::<Vec<_>>()
    };
    for number in 0..20 {
        queue.add(track(&number.to_string(), "Ann"), None).unwrap();
    }
    // The first is long ago: ten came after it.
    for number in [7].into_iter().chain(100..107).chain([3, 5, 1]) {
        queue.history.push_back(track(&number.to_string(), "Ann"));
    }
    queue.current = Some(track("2", "Ann"));
    smart_shuffle(&mut queue, &mut StdRng::seed_from_u64(1));
    let order = titles(&queue);
    assert_eq!(order[16..], ["1", "2", "3", "5"]);
    assert!(order[..16].contains(&"7".to_owned()));
    let mut sorted: Vec<u32> = order.iter().map(|title| title.parse().unwrap()).collect();
    assert!(!sorted[..16].is_sorted());
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..20));
}
