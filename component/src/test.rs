//! For tests of your own components: a client and a server on threads of their own, under a parent of their own.
//!
//! ```
//! use portcullis_component::test::with_server;
//! use portcullis_component::{Env, Error, Opening, Service, Sessions};
//! use portcullis_rpc::{self as rpc, rpc_interface};
//!
//! #[rpc_interface]
//! trait Greeter {
//!     fn greet(&mut self) -> Result<String, rpc::Error>;
//! }
//! impl Service for dyn Greeter {
//!     type Arguments = String;
//! }
//!
//! struct Polite;
//! impl Sessions<dyn Greeter> for Polite {
//!     type Session = String;
//!     fn create(&mut self, opening: Opening<String>) -> Result<String, Error> {
//!         Ok(format!("good day, {}, says {}", opening.arguments, opening.label))
//!     }
//! }
//! impl Greeter for String {
//!     fn greet(&mut self) -> Result<String, rpc::Error> {
//!         Ok(self.clone())
//!     }
//! }
//!
//! let greeting = with_server(
//!     |env: Env| env.announce::<dyn Greeter, _>(Polite),
//!     |env| -> Result<String, Error> {
//!         Ok(env.connect::<dyn Greeter>("me", &"Anna".to_owned())?.greet()?)
//!     },
//! );
//! assert_eq!(greeting?, "good day, Anna, says test -> me");
//! # Ok::<_, Error>(())
//! ```

use crate::env::Env;
use crate::host::{Asked, Host, Route, Spec};
use crate::quota::Quota;
use crate::run::Constructed;
use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::Pd;
use std::sync::mpsc;

/// What each of the two has.
const EACH: Quota = Quota::new(16 << 20, 1_000);

/// Runs code as a component named `test` whose sessions all go to another one, `server`; both are threads. Answers with what
/// the code does, when both have ended.
///
/// # Panics
/// If the code does, or the system has no threads or descriptors left.
pub fn with_server<S: Constructed, R: Send + 'static>(
    server: impl FnOnce(Env) -> S + Send + 'static,
    code: impl FnOnce(&Env) -> R + Send + 'static,
) -> R {
    let pd = Pd::new().expect("there are descriptors");
    let entrypoint = Entrypoint::new(&pd).expect("there are descriptors");
    let all = EACH.saturating_add(EACH);
    let host = Host::new(&pd, &entrypoint, all, |asked: Asked<'_>| match asked.client {
        "test" => Route::to("server"),
        _ => Route::Denied("only the test has a server".into()),
    });
    host.start(Spec::thread("server", EACH, server)).expect("there is a thread");
    let (to_us, result) = mpsc::channel();
    let construct = move |env: Env| {
        let _ = to_us.send(code(&env));
        env.exit(0);
    };
    host.start(Spec::thread("test", EACH, construct)).expect("there is a thread");
    host.run_until(|host| host.quota("test").is_none()).expect("the parent serves");
    host.kill("server");
    host.run_until(|host| host.quota("server").is_none()).expect("the parent serves");
    result.try_recv().expect("the code does not panic")
}
