//! What a receiver gets, and what becomes of its answers.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use dalsegno_hooks::{Failure, Options, Retry, signature};
use serde_json::json;

use crate::house::{House, quick};
use crate::server::{Server, answer};

#[test]
fn a_receiver_gets_ids_and_headers() {
    let (house, server) = (House::new(), Server::new(vec![answer(204, "")]));
    let started = house.start(&server.hook());
    started.send("e1");
    let outcome = started.outcome();
    assert_eq!((outcome.result, outcome.attempts), (Ok(()), 1));
    let request = server.request();
    assert_eq!(request.line, "POST /hook HTTP/1.1");
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("dalsegno-event"), "restored");
    assert_eq!(request.header("dalsegno-delivery").len(), 36);
    assert!(request.header("user-agent").starts_with("dalsegno/"));
    assert!(!request.headers.contains_key("dalsegno-signature"));
    // No word of the label.
    assert_eq!(
        request.json(),
        json!({"id": "e1", "at": "2026-11-21T09:00:00Z", "event": "restored", "session": "bot/42",
            "actor": "ada", "snapshot": "01a1fb85-bafe-7126-bc18-b0d0e1cb9f81"})
    );
}

#[test]
fn a_signature_proves_the_body_and_the_time() {
    let (house, server) = (
        House::new(),
        Server::new(vec![answer(500, ""), answer(200, "")]),
    );
    let hook = format!("{}secret_file = 'secret'\n", server.hook());
    fs::create_dir_all(house.path("")).unwrap();
    let secret = house.path("secret");
    fs::write(&secret, "a long secret\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let started = house.start(&hook);
    started.send("e1");
    assert_eq!(started.outcome().result, Ok(()));
    let (first, second) = (server.request(), server.request());
    for request in [&first, &second] {
        let given = request.header("dalsegno-signature");
        let at = given.strip_prefix("t=").unwrap().split(',').next().unwrap();
        let at: i64 = at.parse().unwrap();
        assert_eq!(given, signature(b"a long secret", at, &request.body));
        assert_ne!(given, signature(b"another", at, &request.body));
        assert!((jiff::Timestamp::now().as_second() - at).abs() < 600);
    }
    // Both attempts are one delivery.
    assert_eq!(
        first.header("dalsegno-delivery"),
        second.header("dalsegno-delivery")
    );
    started.send("e2");
    assert_ne!(
        first.header("dalsegno-delivery"),
        server.request().header("dalsegno-delivery")
    );
}

#[test]
fn nothing_is_sent_unsigned() {
    let server = Server::new(vec![answer(200, "")]);
    for (secret, mode, said) in [
        ("secret_file = 'none'", None, "No such file"),
        (
            "secret_file = 'secret'",
            Some(0o644),
            "can be read by others",
        ),
        ("secret_file = '.'", None, "is no file"),
        (
            "secret_env = 'DALSEGNO_TEST_NO_SUCH_VARIABLE'",
            None,
            "is not set",
        ),
    ] {
        let house = House::new();
        if let Some(mode) = mode {
            fs::create_dir_all(house.path("")).unwrap();
            fs::write(house.path("secret"), "s").unwrap();
            fs::set_permissions(house.path("secret"), fs::Permissions::from_mode(mode)).unwrap();
        }
        let started = house.start(&format!("{}{secret}\n", server.hook()));
        started.send("e1");
        let outcome = started.outcome();
        let Err(Failure::Other(reason)) = &outcome.result else {
            panic!("{outcome}");
        };
        assert!(reason.contains(said), "{reason}");
        assert_eq!(outcome.attempts, 1);
    }
    assert_eq!(server.further(), 0);
}

#[test]
fn failures_that_may_pass_are_tried_again() {
    let answers = [
        answer(503, ""),
        String::new(),
        answer(429, ""),
        answer(201, ""),
    ];
    let (house, server) = (House::new(), Server::new(answers.to_vec()));
    let started = house.start(&server.hook());
    started.send("e1");
    let outcome = started.outcome();
    assert_eq!((outcome.result, outcome.attempts), (Ok(()), 4));
    assert_eq!(outcome.event.as_deref(), Some("e1"));
}

#[test]
fn at_most_so_often() {
    let (house, server) = (House::new(), Server::new(vec![answer(502, "")]));
    let started = house.start(&server.hook());
    started.send("e1");
    let outcome = started.outcome();
    assert_eq!(outcome.result, Err(Failure::Status(502)));
    assert_eq!(outcome.attempts, 4);
    assert_eq!(
        std::iter::repeat_with(|| server.request()).take(4).count(),
        4
    );
    assert_eq!(server.further(), 0);
    // What was not delivered is missed, as the next that is delivered says.
    assert_eq!(outcome.missed, 0);
    started.send("e2");
    assert_eq!(started.outcome().missed, 1);
    assert_eq!(server.request().json()["missed"], 1);
}

#[test]
fn nobody_there_is_tried_again_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let house = House::new();
    let started = house.start(&format!(
        "[[hook]]\nevents = ['*']\nwebhook = 'http://{address}/very-secret'\n"
    ));
    started.send("e1");
    let outcome = started.outcome();
    assert_eq!(outcome.attempts, 4);
    let said = outcome.to_string();
    assert!(
        said.contains("refused") && said.contains("tried 4 times"),
        "{said}"
    );
    assert!(!said.contains("very-secret"), "{said}");
}

#[test]
fn other_refusals_are_final() {
    for status in [400, 401, 404, 410, 422] {
        let (house, server) = (House::new(), Server::new(vec![answer(status, "")]));
        let started = house.start(&server.hook());
        started.send("e1");
        let outcome = started.outcome();
        assert_eq!(outcome.result, Err(Failure::Status(status)));
        assert_eq!(outcome.attempts, 1);
    }
}

#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::new(vec![answer(200, "")]);
        let location = format!("location: {}\r\n", elsewhere.url());
        let (house, server) = (House::new(), Server::new(vec![answer(status, &location)]));
        let started = house.start(&server.hook());
        started.send("e1");
        let outcome = started.outcome();
        assert_eq!(outcome.result, Err(Failure::Status(status)), "{outcome}");
        assert_eq!(outcome.attempts, 1);
        assert!(outcome.to_string().contains("redirects are not followed"));
        assert_eq!(elsewhere.further(), 0);
    }
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let answers = vec![answer(429, "retry-after: 1\r\n"), answer(200, "")];
    let (house, server) = (House::new(), Server::new(answers));
    let retry = Retry {
        attempts: 2,
        first: Duration::ZERO,
        longest: Duration::from_secs(60),
    };
    let begun = Instant::now();
    let started = house.start_with(&server.hook(), Options::default().retry(retry));
    started.send("e1");
    assert_eq!(started.outcome().result, Ok(()));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_receiver_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let house = House::new();
    let text =
        format!("[[hook]]\nevents = ['*']\nwebhook = 'http://{address}/'\ntimeout = '100ms'\n");
    let started = house.start_with(&text, quick());
    started.send("e1");
    let outcome = started.outcome();
    assert_eq!(outcome.attempts, 4);
    assert!(outcome.to_string().contains("took too long"), "{outcome}");
    drop(listener);
}

#[test]
fn an_answer_is_not_read_to_its_end() {
    // It promises more than memory holds, and never sends it.
    let huge = "HTTP/1.1 200 OK\r\ncontent-length: 9000000000000000\r\n\r\n".to_owned();
    let (house, server) = (House::new(), Server::new(vec![huge]));
    let started = house.start(&server.hook());
    started.send("e1");
    assert_eq!(started.outcome().result, Ok(()));
    assert_eq!(server.request().header("dalsegno-event"), "restored");
}

#[test]
fn https_is_spoken_and_never_left_for_plain_http() {
    let (house, server) = (House::new(), Server::new(vec![answer(200, "")]));
    let started = house.start(&server.hook().replace("http:", "https:"));
    started.send("e1");
    let outcome = started.outcome();
    assert!(outcome.result.is_err(), "{outcome}");
    assert_eq!(server.further(), 0);
}
