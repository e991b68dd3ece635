//! The runtime without the macro: an interface and a derived one written out by hand, as the macro would, served by
//! a loop of its own. It shows what an entrypoint does with [`serve`], and what generated code looks like.

use portcullis_ipc::{Deadline, MsgBuf, Pd, Server};
use portcullis_rpc::__private::v1::{Answer, Refusal};
use portcullis_rpc::__private::v1::{As, Bytes, Either, Plain, call, chain, decode, methods};
use portcullis_rpc::{
    Capability, Client, Derives, Error, Interface, Later, Outbox, Outcome, Reply, Serves, serve,
};
use std::sync::mpsc;

trait Session {
    fn label(&mut self) -> Result<String, Error>;
}

const _: () = {
    const COUNT: usize = 1;
    impl Interface for dyn Session {
        const NAME: &'static str = "by-hand.Session";
        const METHODS: &'static [&'static str] = &methods::<COUNT>(&[], &["label"]);
        const CHAIN: &'static [u64] = &chain::<COUNT>(&[], Self::NAME, &["label()->Result<String,Error>"]);
    }
    impl Derives<dyn Session> for dyn Session {}
    impl<T: Session> Serves<T> for dyn Session {
        fn dispatch(
            object: &mut T,
            opcode: usize,
            request: &mut MsgBuf,
            reply: &mut MsgBuf,
        ) -> Result<Outcome, Refusal> {
            match opcode {
                0 => {
                    let () = decode(request).map_err(|_| Refusal::Malformed)?;
                    Answer::<Plain>::send(object.label(), reply)
                }
                _ => Err(Refusal::UnknownMethod),
            }
        }
    }
    impl<D: ?Sized + Derives<dyn Session>> Session for Client<D> {
        fn label(&mut self) -> Result<String, Error> {
            call::<D, _, _, Plain>(self, 0, &())
        }
    }
};

trait Terminal: Session {
    fn write(&mut self, line: &str, raw: &[u8]) -> Result<usize, Error>;
    fn delegate(&mut self, to: Option<Capability<dyn Session>>) -> Result<Vec<u8>, Error>;
    fn wait(&mut self) -> Later<Result<u32, Error>>;
    fn wake(&mut self, with: u32) -> Result<(), Error>;
}

const _: () = {
    const BASE: usize = <dyn Session as Interface>::CHAIN.len();
    const COUNT: usize = BASE + 4;
    const WRITE: usize = BASE;
    const DELEGATE: usize = BASE + 1;
    const WAIT: usize = BASE + 2;
    const WAKE: usize = BASE + 3;
    impl Interface for dyn Terminal {
        const NAME: &'static str = "by-hand.Terminal";
        const METHODS: &'static [&'static str] =
            &methods::<COUNT>(<dyn Session>::METHODS, &["write", "delegate", "wait", "wake"]);
        const CHAIN: &'static [u64] =
            &chain::<COUNT>(<dyn Session>::CHAIN, Self::NAME, &["write", "delegate", "wait", "wake"]);
    }
    impl Derives<dyn Terminal> for dyn Terminal {}
    impl<B: ?Sized> Derives<B> for dyn Terminal where dyn Session: Derives<B> {}
    impl<T: Terminal> Serves<T> for dyn Terminal {
        fn dispatch(
            object: &mut T,
            opcode: usize,
            request: &mut MsgBuf,
            reply: &mut MsgBuf,
        ) -> Result<Outcome, Refusal> {
            match opcode {
                0..BASE => <dyn Session as Serves<T>>::dispatch(object, opcode, request, reply),
                WRITE => {
                    let (line, raw): (As<_, Plain>, As<_, Bytes>) =
                        decode(request).map_err(|_| Refusal::Malformed)?;
                    Answer::<Plain>::send(object.write(line.value, raw.value), reply)
                }
                DELEGATE => {
                    let (to,): (As<_, Plain>,) = decode(request).map_err(|_| Refusal::Malformed)?;
                    Answer::<Either<Bytes>>::send(object.delegate(to.value), reply)
                }
                WAIT => {
                    let () = decode(request).map_err(|_| Refusal::Malformed)?;
                    Answer::<Plain>::send(object.wait(), reply)
                }
                WAKE => {
                    let (with,): (As<_, Plain>,) = decode(request).map_err(|_| Refusal::Malformed)?;
                    Answer::<Plain>::send(object.wake(with.value), reply)
                }
                _ => Err(Refusal::UnknownMethod),
            }
        }
    }
    impl<D: ?Sized + Derives<dyn Terminal>> Terminal for Client<D>
    where
        Client<D>: Session,
    {
        fn write(&mut self, line: &str, raw: &[u8]) -> Result<usize, Error> {
            call::<D, _, _, Plain>(self, WRITE, &(As::<_, Plain>::new(line), As::<_, Bytes>::new(raw)))
        }
        fn delegate(&mut self, to: Option<Capability<dyn Session>>) -> Result<Vec<u8>, Error> {
            call::<D, _, _, Either<Bytes>>(self, DELEGATE, &(As::<_, Plain>::new(to),))
        }
        fn wait(&mut self) -> Later<Result<u32, Error>> {
            call::<D, _, _, Plain>(self, WAIT, &())
        }
        fn wake(&mut self, with: u32) -> Result<(), Error> {
            call::<D, _, _, Plain>(self, WAKE, &(As::<_, Plain>::new(with),))
        }
    }
};

#[derive(Default)]
struct Screen {
    waiting: Vec<Reply<Result<u32, Error>>>,
    held: Option<Capability<dyn Session>>,
}

impl Session for Screen {
    fn label(&mut self) -> Result<String, Error> {
        Ok("screen".into())
    }
}

impl Terminal for Screen {
    fn write(&mut self, line: &str, raw: &[u8]) -> Result<usize, Error> {
        Ok(line.len() * 1000 + raw.len())
    }
    fn delegate(&mut self, to: Option<Capability<dyn Session>>) -> Result<Vec<u8>, Error> {
        self.held = to;
        Ok(vec![self.held.is_some().into(); 2000])
    }
    fn wait(&mut self) -> Later<Result<u32, Error>> {
        let (later, reply) = Later::new();
        self.waiting.push(reply);
        later
    }
    fn wake(&mut self, with: u32) -> Result<(), Error> {
        self.waiting.drain(..).for_each(|reply| reply.answer(Ok(with)));
        Ok(())
    }
}

/// Serves a screen on a thread of its own until the process ends.
fn screen() -> Capability<dyn Terminal> {
    let (capability_out, capability_in) = mpsc::channel();
    std::thread::spawn(move || -> Result<(), portcullis_ipc::Error> {
        let mut server = Server::new(&Pd::new()?)?;
        let _ = capability_out.send(server.capability());
        let mut object = Screen::default();
        let (mut request, mut reply, outbox) = (MsgBuf::new(), MsgBuf::new(), Outbox::new());
        loop {
            let caller = server.wait(&mut request, Deadline::Never)?.caller;
            match serve::<dyn Terminal, _>(&mut object, &mut request, &mut reply) {
                Ok(Outcome::Answered) => server.reply(caller, &reply)?,
                Ok(Outcome::Later(deferred)) => deferred.bind(caller, &outbox),
                Err(refusal) => server.refuse(caller, refusal)?,
            }
            outbox.flush(&mut server);
        }
    });
    Capability::from_untyped(capability_in.recv().unwrap())
}

#[test]
fn a_call_carries_arguments_there_and_the_result_back() {
    let mut client = screen().client();
    assert_eq!(client.write("hello", &[1, 2]), Ok(5002));
    assert_eq!(client.label().as_deref(), Ok("screen"));
    assert_eq!(client.upcast::<dyn Session>().label().as_deref(), Ok("screen"));
}

#[test]
fn what_does_not_fit_is_refused_before_and_after() {
    let capability = screen();
    let mut client = capability.client();
    let large = client.write("", &[0; 1024]).unwrap_err();
    assert_eq!(large, Error::MessageTooLarge { length: 1 + 2 + 1024 });
    let session = capability.upcast();
    assert_eq!(client.delegate(Some(session)), Err(Error::Unanswerable));
}

#[test]
fn a_later_answer_reaches_its_caller() {
    let capability = screen();
    let waiter = std::thread::spawn({
        let mut client = capability.client();
        move || client.wait().get()
    });
    let mut client = capability.client();
    // The waiter may come after a wake: wake until it has been woken.
    while !waiter.is_finished() {
        client.wake(3).unwrap();
    }
    assert_eq!(waiter.join().unwrap(), Ok(3));
}

#[test]
fn a_derived_interface_is_no_other_one() {
    let wrong = Capability::<dyn Terminal>::from_untyped(screen().into_untyped());
    assert_eq!(wrong.client().label().as_deref(), Ok("screen"));
    assert_eq!(format!("{wrong:?}"), "Capability<by-hand.Terminal>(Capability(of this process))");
    assert_eq!(<dyn Terminal>::METHODS, ["label", "write", "delegate", "wait", "wake"]);
}
