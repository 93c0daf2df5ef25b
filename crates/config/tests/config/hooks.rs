//! What a hook is, and when it is wanted.

use std::time::Duration;

use dalsegno_config::{Action, Secret};

use crate::house::House;

#[test]
fn hooks_as_they_are_written() {
    let house = House::new();
    house.user(
        r#"
        [[hook]]
        events = ["restored", "deleted"]
        sessions = "bot/*"
        command = ["notify-send", "a state was put back; $HOME"]
        [[hook]]
        events = ["*"]
        webhook = "https://hooks.example.org/T000/secret-path?x=1"
        secret_file = "secret"
        timeout = "5s"
        [[hook]]
        events = ["*"]
        webhook = "http://127.0.0.1:8080/"
        secret_env = "HOOK_SECRET"
        "#,
    );
    let hooks = house.load().config.hooks;
    let words = ["notify-send", "a state was put back; $HOME"].map(str::to_owned);
    assert_eq!(hooks[0].action, Action::Command(words.to_vec()));
    assert_eq!(hooks[0].timeout, Duration::from_secs(30));
    let secret = Some(Secret::File(house.path(".config/dalsegno/secret")));
    let url = "https://hooks.example.org/T000/secret-path?x=1".to_owned();
    assert_eq!(hooks[1].action, Action::Webhook { url, secret });
    assert_eq!(hooks[1].timeout, Duration::from_secs(5));
    // Addresses of webhooks often are the key: they are not shown whole.
    assert_eq!(hooks[1].title(), "the webhook at hooks.example.org");
    let secret = Some(Secret::Env("HOOK_SECRET".to_owned()));
    let url = "http://127.0.0.1:8080/".to_owned();
    assert_eq!(hooks[2].action, Action::Webhook { url, secret });

    assert!(hooks[0].wants("restored", Some("bot/42")));
    assert!(hooks[0].wants("deleted", Some("bot/42")));
    for (event, session) in [
        ("created", Some("bot/42")),
        ("restored", Some("bot/42/queue")),
        ("restored", Some("chat")),
        ("restored", None),
    ] {
        assert!(!hooks[0].wants(event, session), "{event} {session:?}");
        assert!(hooks[1].wants(event, session), "{event} {session:?}");
    }
}

#[test]
fn odd_hooks_are_refused() {
    for (rest, said) in [
        ("events = []\ncommand = ['x']", "events is empty"),
        ("events = ['*']", "a command or a webhook"),
        (
            "events = ['*']\ncommand = ['x']\nwebhook = 'https://a'",
            "not both",
        ),
        ("events = ['*']\ncommand = []", "command is empty"),
        ("events = ['*']\ncommand = ['']", "command is empty"),
        (
            "events = ['*']\ncommand = \"echo hi\"",
            "expected a sequence",
        ),
        ("events = ['*']\ncommand = [\"a\\u0000\"]", "zero character"),
        (
            "events = ['*']\ncommand = ['x']\nsecret_env = 'S'",
            "a secret is for webhooks",
        ),
        (
            "events = ['*']\nwebhook = 'ftp://host/x'",
            "webhook is no address",
        ),
        (
            "events = ['*']\nwebhook = 'host/x'",
            "webhook is no address",
        ),
        (
            "events = ['*']\nwebhook = 'https://me:word@host/'",
            "without a user's name",
        ),
        (
            "events = ['*']\nwebhook = 'https:///x'",
            "webhook is no address",
        ),
        (
            "events = ['*']\nwebhook = 'https://a'\nsecret_env = 'S'\nsecret_file = 's'",
            "not both",
        ),
        (
            "events = ['*']\nwebhook = 'https://a'\nsecret_env = 'A=B'",
            "name of a variable",
        ),
        (
            "events = ['*']\ncommand = ['x']\ntimeout = '0s'",
            "no time at all",
        ),
        (
            "events = ['*']\ncommand = ['x']\nsessions = 'a//b'",
            "empty part",
        ),
    ] {
        let house = House::new();
        house.user(&format!("[[hook]]\n{rest}"));
        let message = house.refused();
        assert!(message.contains(said), "{rest}: {message}");
        assert!(message.contains("config.toml:"), "{message}");
    }
}
