//! Trees of components: real processes under a parent that the test has on its own thread.

mod puppet;
mod raider;
mod roles;
mod stubborn;

pub use puppet::{Puppet, PuppetAsync, puppet};
pub use roles::{outcome, run};

use portcullis_component::host::{Asked, Exit, Host, Policy, Route, Spec, Wish};
use portcullis_component::{Env, Quota};
use portcullis_entrypoint::Entrypoint;
use portcullis_ipc::Pd;
use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::mpsc;

/// What the parent of a test has to give.
pub const ALL: Quota = Quota::new(64 << 20, 100_000);

/// What each child gets of it.
pub const EACH: Quota = Quota::new(1 << 20, 1_000);

/// The name of the component that the test's own code runs as.
pub const DRIVER: &str = "driver";

/// What the tests' parent decides: the driver reaches each puppet by its name, `log` goes to `logger`, other services to
/// the component that is named for them, and what is registered otherwise goes where that says.
#[derive(Clone, Default)]
pub struct Rules(Rc<RefCell<Noted>>);

#[derive(Default)]
struct Noted {
    routes: Vec<(String, String, Route)>,
    wish: Option<Wish>,
    ended: Vec<(String, Exit)>,
    changes: usize,
}

impl Rules {
    /// A service that a client asks for goes there.
    pub fn route(&self, client: &str, service: &str, route: Route) {
        self.0.borrow_mut().routes.push((client.into(), service.into(), route));
    }

    /// What becomes of wishes from now on.
    pub fn wishes(&self, wish: Wish) {
        self.0.borrow_mut().wish = Some(wish);
    }

    /// Who has ended, and how.
    #[must_use]
    pub fn ended(&self, child: &str) -> Option<Exit> {
        let noted = self.0.borrow();
        noted.ended.iter().find(|(name, _)| name == child).map(|(_, exit)| *exit)
    }

    /// How often it was told that something is different.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.0.borrow().changes
    }
}

impl Policy for Rules {
    fn route(&mut self, asked: Asked<'_>) -> Route {
        let noted = self.0.borrow();
        let matches = |client: &str, service: &str| client == asked.client && service == asked.service;
        let rule = noted.routes.iter().find(|(client, service, _)| matches(client, service));
        match (rule, asked.service) {
            (Some((.., route)), _) => route.clone(),
            (None, "puppet") => Route::to(asked.label.last()),
            (None, "log") => Route::to("logger"),
            (None, "report" | "rom") => Route::to("board"),
            (None, service @ ("timer" | "terminal")) => Route::to(service),
            (None, _) => Route::Denied("the test knows no such service".into()),
        }
    }

    fn wish(&mut self, _: &str, _: Quota) -> Wish {
        self.0.borrow().wish.unwrap_or(Wish::Granted)
    }

    fn ended(&mut self, child: &str, exit: Exit) {
        self.0.borrow_mut().ended.push((child.into(), exit));
    }

    fn changed(&mut self) {
        self.0.borrow_mut().changes += 1;
    }
}

/// A tree with the test's parent at its root.
pub struct Tree {
    /// The parent.
    pub host: Host,
    /// What it decides.
    pub rules: Rules,
    _entrypoint: Entrypoint,
}

impl Tree {
    /// A parent without children.
    ///
    /// # Panics
    /// If the system refuses what it takes.
    #[must_use]
    pub fn new() -> Tree {
        let pd = Pd::new().expect("there are descriptors");
        let entrypoint = Entrypoint::new(&pd).expect("there are descriptors");
        let rules = Rules::default();
        let host = Host::new(&pd, &entrypoint, ALL, rules.clone());
        Tree { host, rules, _entrypoint: entrypoint }
    }

    /// Starts a process of the binary `component` of this package, in that role, under that name. What follows the role in the
    /// same text, after spaces, are its arguments.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(&self, program: impl AsRef<Path>, name: &str, role: &str, quota: Quota) {
        let mut command = Command::new(program.as_ref());
        command.args(role.split(' '));
        self.host.start(Spec::process(name, quota, command)).expect("it is started");
    }

    /// Runs the test's own code as a component on a thread, and serves until it has ended.
    ///
    /// # Panics
    /// If the code does.
    pub fn drive<R: Send + 'static>(&self, code: impl FnOnce(&Env) -> R + Send + 'static) -> R {
        self.drive_and(|_| (), code)
    }

    /// As [`drive`](Self::drive); meanwhile the other closure is called again and again, on the parent's thread.
    ///
    /// # Panics
    /// As [`drive`](Self::drive).
    pub fn drive_and<R: Send + 'static>(
        &self,
        mut meanwhile: impl FnMut(&Host),
        code: impl FnOnce(&Env) -> R + Send + 'static,
    ) -> R {
        let (to_us, result) = mpsc::channel();
        let construct = move |env: Env| {
            let _ = to_us.send(code(&env));
            env.exit(0);
        };
        self.host.start(Spec::thread(DRIVER, EACH, construct)).expect("there is a thread");
        let is_over = |host: &Host| {
            meanwhile(host);
            host.quota(DRIVER).is_none()
        };
        self.host.run_until(is_over).expect("the parent serves");
        result.try_recv().expect("the driver does not panic")
    }

    /// Serves until the condition holds.
    ///
    /// # Panics
    /// If the parent cannot serve.
    pub fn until(&self, condition: impl FnMut(&Host) -> bool) {
        self.host.run_until(condition).expect("the parent serves");
    }
}

impl Default for Tree {
    fn default() -> Self {
        Tree::new()
    }
}
