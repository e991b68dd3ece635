//! Interfaces between a client and a server in one process: one trait, both sides.

mod support;

use portcullis_rpc::{Blame, Capability, Client, Deadline, Error, Interface, Later, Reply, rpc_interface};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use support::host;

/// The base of the terminals below.
#[rpc_interface]
trait Session {
    /// Who opened it.
    fn label(&mut self) -> Result<String, Error>;
}

/// An error of the service itself.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum TermError {
    Full,
    Rpc(Error),
}

impl From<Error> for TermError {
    fn from(error: Error) -> Self {
        TermError::Rpc(error)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Opened {
    number: u32,
    child: Option<Capability<dyn Terminal>>,
    more: (u8, Vec<Capability<dyn Session>>),
}

#[rpc_interface]
trait Terminal: Session {
    fn write(&mut self, line: &str, raw: &[u8]) -> Result<usize, TermError>;
    fn open(&mut self, log: Capability<dyn Session>, copies: u32) -> Result<Opened, TermError>;
    fn size(&self) -> Result<(u16, u16), TermError>;
    fn read(&mut self) -> Later<Result<Vec<u8>, TermError>>;
    fn press(&mut self, keys: Vec<u8>) -> Result<usize, TermError>;
}

#[rpc_interface]
trait Window: Terminal {
    fn move_to(&mut self, x: i32) -> Result<i32, Error>;
}

#[derive(Default)]
struct Screen {
    x: i32,
    readers: Vec<Reply<Result<Vec<u8>, TermError>>>,
}

impl Session for Screen {
    fn label(&mut self) -> Result<String, Error> {
        Ok("screen".into())
    }
}

impl Terminal for Screen {
    fn write(&mut self, line: &str, raw: &[u8]) -> Result<usize, TermError> {
        match line {
            "boom" => panic!("boom"),
            "full" => Err(TermError::Full),
            "lie" => Err(Error::InvalidCapability.into()),
            "long" => Ok(raw.len()),
            _ => Ok(line.len() + raw.len()),
        }
    }

    fn open(&mut self, log: Capability<dyn Session>, copies: u32) -> Result<Opened, TermError> {
        let child = host::<dyn Terminal, _>(Screen::default);
        Ok(Opened { number: copies, child: Some(child), more: (1, vec![log; copies as usize]) })
    }

    fn size(&self) -> Result<(u16, u16), TermError> {
        Ok((80, 25))
    }

    fn read(&mut self) -> Later<Result<Vec<u8>, TermError>> {
        let (later, reply) = Later::new();
        self.readers.push(reply);
        later
    }

    fn press(&mut self, keys: Vec<u8>) -> Result<usize, TermError> {
        if keys.is_empty() {
            self.readers.clear();
        }
        Ok(self.readers.drain(..).map(|reader| reader.answer(Ok(keys.clone()))).count())
    }
}

impl Window for Screen {
    fn move_to(&mut self, x: i32) -> Result<i32, Error> {
        self.x += x;
        Ok(self.x)
    }
}

fn window() -> Capability<dyn Window> {
    host::<dyn Window, _>(Screen::default)
}

fn generic<W: Window>(window: &mut W) -> Result<(i32, String, usize), TermError> {
    Ok((window.move_to(1)?, window.label()?, window.write("hi", &[1, 2])?))
}

fn dynamic(terminal: &mut dyn Terminal) -> Result<usize, TermError> {
    terminal.write("hello", b"")
}

#[test]
fn g11_an_interface_is_a_trait_and_its_stubs_come_from_the_compiler() {
    let mut client = window().client();
    assert_eq!(client.write("hello", &[1, 2, 3]), Ok(8));
    assert_eq!(client.size(), Ok((80, 25)));
    assert_eq!(client.move_to(-2), Ok(-2));
}

#[test]
fn g12_opcodes_are_the_order_of_declaration_after_the_base() {
    let names = ["label", "write", "open", "size", "read", "press", "move_to"];
    assert_eq!(<dyn Window>::METHODS, names);
    assert_eq!(<dyn Terminal>::METHODS, &names[..6]);
    assert_eq!(<dyn Terminal>::CHAIN, &<dyn Window>::CHAIN[..6]);
    assert_eq!(<dyn Terminal>::NAME, "portcullis-rpc.Terminal");
}

#[test]
fn g12_arguments_and_results_cross_as_they_were() {
    let mut client = window().client();
    let log = host::<dyn Session, _>(Screen::default);
    let opened = client.open(log, 3).unwrap();
    assert_eq!((opened.number, opened.more.0, opened.more.1.len()), (3, 1, 3));
    assert_eq!(opened.child.unwrap().client().write("child", b""), Ok(5));
    for log in opened.more.1 {
        assert_eq!(log.client().label().as_deref(), Ok("screen"));
    }
}

#[test]
fn g13_one_piece_of_code_runs_against_a_local_object_and_a_remote_one() {
    let expected = Ok((1, "screen".into(), 4));
    assert_eq!(generic(&mut Screen::default()), expected);
    assert_eq!(generic(&mut window().client()), expected);
    assert_eq!(dynamic(&mut Screen::default()), Ok(5));
    assert_eq!(dynamic(&mut window().client()), Ok(5));
}

#[test]
fn g13_a_capability_names_its_interface_and_its_entrypoint() {
    let window = window();
    let text = format!("{window:?}");
    let entrypoint = text
        .strip_prefix("Capability<portcullis-rpc.Window>(Capability(entrypoint ")
        .and_then(|rest| rest.strip_suffix(", of this process))"));
    assert!(entrypoint.is_some_and(|digits| digits.len() == 8), "{text}");
    assert_eq!(text, format!("{:?}", window.clone()), "its entrypoint keeps its name");
}

#[test]
fn g15_a_capability_goes_where_its_bases_go() {
    let window = window();
    let terminal: Capability<dyn Terminal> = window.clone().upcast();
    let session: Capability<dyn Session> = window.clone().upcast();
    assert_eq!(terminal.client().label().as_deref(), Ok("screen"));
    assert_eq!(session.client().label().as_deref(), Ok("screen"));
    let same: Capability<dyn Session> = terminal.upcast();
    let client: Client<dyn Session> = window.client().upcast();
    assert_eq!((same.client().label(), client.clone().label()), (Ok("screen".into()), Ok("screen".into())));
}

#[test]
fn g5_five_capabilities_and_too_many_bytes_are_refused_before_they_are_sent() {
    let mut client = window().client();
    let log = host::<dyn Session, _>(Screen::default);
    // The child and four logs: the server cannot answer that.
    assert_eq!(client.open(log, 4).unwrap_err(), TermError::Rpc(Error::Unanswerable));
    let large = client.write("", &[0; 1022]).unwrap_err();
    assert_eq!(large, TermError::Rpc(Error::MessageTooLarge { length: 1 + 2 + 1022 }));
    assert_eq!(client.write("", &[0; 1021]), Ok(1021));
}

#[test]
fn an_error_of_the_service_is_data() {
    assert_eq!(window().client().write("full", b""), Err(TermError::Full));
}

#[test]
fn a_failure_of_the_server_does_not_pose_as_one_of_our_transport() {
    let error = window().client().write("lie", b"").unwrap_err();
    assert_eq!(error, TermError::Rpc(Error::Relayed(Error::InvalidCapability.to_string())));
}

#[test]
fn a_panic_of_a_method_is_an_error_and_the_server_goes_on() {
    let mut client = window().client();
    let error = client.write("boom", b"").unwrap_err();
    assert_eq!(error, TermError::Rpc(Error::ServerPanicked));
    assert_eq!(client.write("on", b""), Ok(2));
}

#[test]
fn a_later_answer_goes_to_the_caller_that_waits() {
    let window = window();
    let waiting = window.clone();
    let reader = std::thread::spawn(move || waiting.client().read().get());
    let mut client = window.client();
    // The reader may come after a press: press until somebody read.
    while client.press(b"keys".to_vec()) != Ok(1) {}
    assert_eq!(reader.join().unwrap(), Ok(b"keys".to_vec()));
}

#[test]
fn a_later_answer_that_is_dropped_is_abandoned() {
    let window = window();
    let waiting = window.clone();
    let reader = std::thread::spawn(move || waiting.client().read().get());
    while !reader.is_finished() {
        window.client().press(Vec::new()).unwrap();
    }
    assert_eq!(reader.join().unwrap(), Err(TermError::Rpc(Error::Abandoned)));
}

#[test]
fn a_later_answer_of_a_local_object_is_there_or_not() {
    let mut screen = Screen::default();
    assert_eq!(screen.read().get(), Err(TermError::Rpc(Error::NotYet)));
    screen.readers.clear();
    let later = screen.read();
    screen.press(vec![1]).unwrap();
    assert_eq!(later.get(), Ok(vec![1]));
    let later = screen.read();
    screen.press(Vec::new()).unwrap();
    assert_eq!(later.get(), Err(TermError::Rpc(Error::Abandoned)));
}

#[test]
fn a_client_has_a_deadline_of_its_own() {
    let window = window();
    let mut hasty = window.client().with_deadline(Deadline::After(Duration::from_millis(20)));
    let error = hasty.read().get().unwrap_err();
    assert_eq!(error, TermError::Rpc(Error::DeadlineExceeded));
    assert_eq!(window.client().write("on", b""), Ok(2), "the server goes on");
}

#[test]
fn a_failed_call_says_who_failed() {
    let mut client = window().client();
    let TermError::Rpc(error) = client.write("boom", b"").unwrap_err() else { panic!("no panic arrived") };
    assert_eq!(error.blame(), Blame::Server);
}

#[test]
fn capabilities_and_clients_go_to_other_threads() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<Capability<dyn Window>>();
    assert_send_sync::<Client<dyn Window>>();
}

#[test]
fn a_capability_travels_in_a_call_and_nowhere_else() {
    assert!(postcard::to_stdvec(&window()).is_err());
    assert!(postcard::from_bytes::<Capability<dyn Window>>(&[0]).is_err());
}
