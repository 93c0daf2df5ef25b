#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

fn filters(presets: &[&str]) -> Filters {
    let mut filters = Filters::default();
    for name in presets {
        filters.preset(name).unwrap();
    }
    filters
}

#[test]
fn a_refused_filter_changes_nothing() {
    let mut it = filters(&["8d"]);
    let before = it.clone();
    it.set("timescale", json!({"speed": -1})).unwrap_err();
    let error = it.preset("9d").unwrap_err();
    assert!(error.to_string().contains("bassboost, "), "{error}");
    assert_eq!(it, before);
}

#[test]
fn degrees_of_one_preset_replace_each_other() {
    let mut it = filters(&["bassboost:low", "8d", "bassboost:high"]);
    assert_eq!(it.active(), ["8d", "bassboost:high"]);
    assert_eq!(
        it.config()["equalizer"],
        json!([{"band": 0, "gain": 0.6}, {"band": 1, "gain": 0.4}])
    );
    assert!(it.remove("bassboost:high"));
    assert!(!it.remove("bassboost:high"));
    assert_eq!(it, filters(&["8d"]));
}

#[test]
fn what_was_set_since_stays_when_its_preset_goes() {
    let mut it = filters(&["nightcore"]);
    it.set("timescale", json!({"speed": 2})).unwrap();
    assert!(it.remove("nightcore"));
    assert_eq!(it.active(), ["timescale"]);
    assert_eq!(it.config()["timescale"], json!({"speed": 2}));
}

#[test]
fn a_preset_without_its_filter_is_not_on() {
    let mut it = filters(&["nightcore", "karaoke"]);
    assert!(it.remove("timescale"));
    it.set("karaoke", json!({"level": 2})).unwrap();
    assert_eq!(it.active(), ["karaoke"]);
    assert!(it.remove("karaoke"));
    assert!(it.is_empty());
}

#[test]
fn nodes_are_read_leniently() {
    let it = Filters::read(&json!({
        "volume": 0.5, "equalizer": {"bands": [{"band": 1, "gain": 0.5}, {"band": null}]}, "karaoke": null,
        "timescale": {"speed": 1.5, "pitch": null, "more": 1}, "tremolo": "on", "echo": {"delay": 1},
        "pluginFilters": {}, "rotation": {"rotationHz": 0},
    }));
    assert_eq!(it.active(), ["volume", "equalizer", "timescale", "echo"]);
    let config = json!({
        "volume": 0.5, "equalizer": [{"band": 1, "gain": 0.5}], "timescale": {"speed": 1.5, "more": 1},
        "echo": {"delay": 1}, "pluginFilters": {}, "rotation": {"rotationHz": 0},
    });
    assert_eq!(Value::Object(it.config().clone()), config);
    for nothing in [
        json!(null),
        json!([]),
        json!({"equalizer": {"bands": []}, "karaoke": null}),
    ] {
        assert!(Filters::read(&nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn what_is_stored_comes_back() {
    let mut it = filters(&["bassboost", "nightcore"]);
    it.set("pluginFilters", json!({"echo": {"delay": 0.1}}))
        .unwrap();
    let stored = it.stored();
    assert_eq!(
        stored["active_filters"],
        json!(["bassboost", "nightcore", "pluginFilters"])
    );
    let mut again = Filters::read(&stored);
    assert_eq!(again, it);
    again.remove("nightcore");
    assert_eq!(again.active(), ["bassboost", "pluginFilters"]);
    assert!(!again.config().contains_key("timescale"));
}

#[test]
fn only_what_nodes_take_is_sent() {
    let it = Filters::read(&json!({
        "volume": 9, "equalizer": [{"band": 3, "gain": 0.1}, {"band": 99, "gain": 0.1}, {"band": 4, "gain": 7}],
        "timescale": {"speed": 0, "pitch": 2, "more": 1}, "lowPass": {"smoothing": 0}, "pluginFilters": {},
    }));
    let payload = it.payload();
    let expected = json!({
        "equalizer": [{"band": 3, "gain": 0.1}], "timescale": {"speed": 1.0, "pitch": 2.0, "rate": 1.0},
    });
    assert_eq!(payload, expected);
}

#[test]
fn the_same_sound_is_known_in_other_words() {
    for (one, two) in [
        (
            json!({}),
            json!({"volume": 1, "timescale": {}, "equalizer": [{"band": 3, "gain": 0}]}),
        ),
        (
            json!({}),
            json!({"lowPass": {"smoothing": 1}, "tremolo": {"depth": 0}, "channelMix": {"leftToLeft": 1}}),
        ),
        (
            json!({"equalizer": [{"band": 1, "gain": 0.15}, {"band": 0, "gain": 0.2}]}),
            json!({"equalizer": [{"band": 0, "gain": 0.200_000_003}, {"band": 1, "gain": 0.150_000_006}]}),
        ),
        (
            json!({"channelMix": {"leftToLeft": 0.5}}),
            json!({"channelMix": {"leftToLeft": 0.5, "leftToRight": 1e-9}}),
        ),
        (
            json!({"karaoke": {}}),
            json!({"karaoke": {"level": 1, "monoLevel": 1, "filterBand": 220}}),
        ),
        (
            json!({"karaoke": {"filterBand": 220.3}}),
            json!({"karaoke": {"filterBand": 220.300_003}}),
        ),
    ] {
        let (one, two) = (Filters::read(&one), Filters::read(&two));
        assert_eq!(one.difference(&two), None);
        assert!(two.same_as(&one));
    }
}

#[test]
fn the_first_difference_is_named() {
    for (wanted, found, says) in [
        (json!({"karaoke": {}}), json!({}), "karaoke is missing"),
        (
            json!({}),
            json!({"lowPass": {}}),
            "lowPass is on and should not be",
        ),
        (
            json!({"timescale": {"speed": 1.2}}),
            json!({"timescale": {"speed": 1.21}}),
            "timescale.speed is 1.21 instead of 1.2",
        ),
        (
            json!({"equalizer": [{"band": 1, "gain": 0.2}]}),
            json!({"equalizer": [{"band": 2, "gain": 0.2}]}),
            "equalizer[0].band is 2 instead of 1",
        ),
        (
            json!({"pluginFilters": {"echo": {"delay": 1}}}),
            json!({"pluginFilters": {"echo": {"delay": 2}}}),
            "pluginFilters.echo.delay is 2 instead of 1",
        ),
    ] {
        let (wanted, found) = (Filters::read(&wanted), Filters::read(&found));
        assert_eq!(wanted.difference(&found).unwrap(), says);
        assert!(!found.same_as(&wanted));
    }
}

proptest! {
    /// Whatever is on together, the payload is what nodes take and says the same sound; what a preset brought goes
    /// with it.
    #[test]
    fn presets_combine_and_go_again(names in subsequence(presets(), 0..6), gone in select(presets())) {
        let it = filters(&names);
        for (name, value) in it.payload().as_object().unwrap() {
            check::check(name, value).unwrap();
        }
        prop_assert!(Filters::read(&it.payload()).same_as(&it));
        let mut less = it.clone();
        less.remove(gone);
        let left: Vec<&str> = it.active().iter().map(String::as_str).filter(|name| *name != gone).collect();
        prop_assert_eq!(less, filters(&left));
    }
}
