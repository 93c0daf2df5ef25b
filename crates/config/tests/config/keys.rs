//! Unknown keys and odd values: each is an error that names file, line and what was probably meant.

use crate::house::House;

/// Each text, the place, and what is said.
const ODD: &[(&str, &str, &[&str])] = &[
    (
        "stor = 's'",
        ":1:1: ",
        &["unknown key 'stor'", "did you mean 'store'?"],
    ),
    (
        "\n[autosav]\ninterval = '1s'",
        ":2:2: ",
        &["'autosav'", "did you mean 'autosave'?"],
    ),
    (
        "[autosave]\nintervall = '1s'",
        ":2:1: ",
        &["'intervall'", "did you mean 'interval'?"],
    ),
    (
        "[watch]\nsettle = '1s'\nincludes = []",
        ":3:1: ",
        &["did you mean 'include'?"],
    ),
    (
        "[guard.'a/*']\nlist = 'a'\ngeneration = 3",
        ":3:1: ",
        &["did you mean 'generations'?"],
    ),
    (
        "[[hook]]\nevents = ['*']\nweb_hook = 'x'",
        ":3:1: ",
        &["did you mean 'webhook'?"],
    ),
    (
        "[[hook]]\nevents = ['*']\ncommands = ['x']",
        ":3:1: ",
        &["did you mean 'command'?"],
    ),
    ("[[hooks]]", ":1:3: ", &["did you mean 'hook'?"]),
    (
        "[key]\nfile = 'k'\ncommand = 'pass show k'",
        ":3:11: ",
        &["key: give file or command, not both"],
    ),
    (
        "[key]\ncommand = ' '",
        ":2:11: ",
        &["key: command is empty"],
    ),
    (
        "[access]\ntoken = 'dalsegno-token-x'",
        ":2:1: ",
        &["unknown key 'token': did you mean 'token_file'?"],
    ),
    (
        "xyz = 1",
        ":1:1: ",
        &["unknown key 'xyz': there are store, actor, key, access, autosave, watch, guard, hook"],
    ),
    (
        "'a`, expected b' = 1",
        ":1:1: ",
        &["unknown key 'a`, expected b'"],
    ),
    ("actor = 7", ":1:9: ", &["expected a string"]),
    ("actor = 'a'\nactor = 'b'", ":2:1: ", &["duplicate key"]),
    ("actor = ", ":1:", &["string"]),
    (
        "[autosave]\ninterval = 30",
        ":2:12: ",
        &["a duration as text"],
    ),
    (
        "[autosave]\ninterval = 'often'",
        ":2:12: ",
        &["'often' is not a duration; write"],
    ),
    ("[autosave]\ninterval = '0s'", ":2: ", &["no time at all"]),
    ("[autosave]\nmin_change = -1", ":2:14: ", &["not negative"]),
    (
        "[autosave]\nmin_change = 'lots'",
        ":2:14: ",
        &["'lots' is not a size; write"],
    ),
    (
        "[watch]\nsettle = '1ms'",
        ":2:10: ",
        &["too short", "write 20ms or more"],
    ),
    (
        "[watch]\nsettle = 'soon'",
        ":2:10: ",
        &["'soon' is not a duration"],
    ),
    (
        "[watch]\ninclude = ['*.json',\n  '[']",
        ":3:3: ",
        &["the pattern '[' is none"],
    ),
    (
        "[watch]\nexclude = ['']",
        ":2:12: ",
        &["the pattern '' is empty"],
    ),
    (
        "[watch]\ninclude = '*.json'",
        ":2:11: ",
        &["expected a sequence"],
    ),
    (
        "[guard.'a//b']\nlist = 'm'",
        ":1:",
        &["guard: ", "empty part"],
    ),
    (
        "[guard.'a']\nlist = 'a..b'",
        ":1:",
        &["the list of a guard", "with dots between"],
    ),
    ("[guard.'a']\nkey = 'id'", ":1:", &["list is missing"]),
    (
        "[guard.'a']\nlist = 'm'\nkey = ''",
        ":1:",
        &["key: ", "is no path"],
    ),
    (
        "[guard.'a']\nlist = 'm'\ngenerations = 0",
        ":1:",
        &["at least 1"],
    ),
    (
        "[guard.'a']\nlist = 'm'\nmax_age = '0s'",
        ":1:",
        &["no time at all"],
    ),
    (
        "[guard.'a']\nlist = 'm'\nconsumed = true",
        ":3:12: ",
        &["expected a string"],
    ),
    (
        "[guard.'a']\nlists = [{ list = 'm', boundd = 3 }]",
        ":2:24: ",
        &["did you mean 'bound'?"],
    ),
    ("[guard.'a']\nlist = 'm'\nlists = []", ":1:", &["not both"]),
    ("[guard.'a']\nkey = 'k'\nlists = []", ":1:", &["not both"]),
    (
        "[guard.'a']\nlist = 'm'\nbound = 3",
        ":1:",
        &["give trimmed: front"],
    ),
    (
        "[autosave]\njitter = '2s'",
        ":2:10: ",
        &["'2s' is no part of a whole"],
    ),
    (
        "[autosave]\njitter = 1.5",
        ":2:10: ",
        &["'1.5' is no part of a whole"],
    ),
    (
        "[guard.'a']\nlist = 'm'\ntrimmed = 'top'",
        ":3:11: ",
        &["'top' is no end of a list: write front or back"],
    ),
];

#[test]
fn what_is_odd_is_named_with_its_place() {
    for (text, place, said) in ODD {
        let house = House::new();
        let file = house.project(text);
        let message = house.refused();
        let place = format!("{}{place}", file.display());
        assert!(message.starts_with(&place), "{text}: {message}");
        for said in *said {
            assert!(message.contains(said), "{text}: {message}");
        }
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn the_users_file_is_read_as_strictly() {
    let house = House::new();
    let file = house.user("acter = 'me'");
    let place = format!("{}:1:1: unknown key 'acter'", file.display());
    assert!(house.refused().starts_with(&place));
}

#[test]
fn columns_are_counted_in_characters() {
    let house = House::new();
    house.project("watch = { settle = '1s', 'größe' = 1, 'sétle' = 2 }");
    let message = house.refused();
    assert!(message.contains(":1:26: unknown key 'größe'"), "{message}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_configuration_or_an_error_of_one_line(text in "[a-z=\\[\\]'\"`\\n. é0-9,{}]{0,60}") {
        let house = House::new();
        house.project(&text);
        if let Err(error) = dalsegno_config::Config::load(&house.layers) {
            proptest::prop_assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}
