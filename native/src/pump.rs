//! The pump of a worker thread as TypeScript sees it. One call a turn carries out what TypeScript
//! wants and brings what the sockets have.
//!
//! Turns come in slices: the loop of the thread says that there is something, TypeScript calls
//! cycle() again and again, and within a slice cycle() may wait, which saves a round of the
//! loop for every turn. A slice is so short that nobody else on the loop notices.

use std::cell::{Cell, RefCell};
use std::os::fd::{FromRawFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Function, JsObjectValue, Object};
use napi::{Env, Error, JsValue, Result, Status, sys};
use napi_derive::napi;

use crate::backend::{Backend, DATAGRAM_BYTES, carry_out};
use crate::epoll::Epoll;
use crate::exchange::{Buffer, Exchange, Piece};
use crate::mailbox;
use crate::ring::Ring;
use crate::uv::{Callback, LoopWatcher, Watched};

/// How long TypeScript may go on without a round of the thread's loop.
const SLICE: Duration = Duration::from_millis(1);

struct Inner {
    backend: RefCell<Option<Box<dyn Backend>>>,
    exchange: RefCell<Exchange>,
    pieces: RefCell<Vec<Piece>>,
    slice_end: Cell<Option<Instant>>,
    on_ready: Callback,
}

impl Inner {
    /// Nothing is done when the pump is closed.
    fn with_backend(&self, act: impl FnOnce(&mut dyn Backend)) {
        if let Some(backend) = self.backend.borrow_mut().as_deref_mut() {
            act(backend);
        }
    }
}

impl Watched for Inner {
    fn on_readable(&self) {
        self.with_backend(|backend| backend.awake());
        self.slice_end.set(Some(Instant::now() + SLICE));
        self.on_ready.call(|_| Ok(Vec::new()));
        self.slice_end.set(None);
        self.with_backend(|backend| backend.rest());
    }

    fn on_stop(&self) {
        self.backend.borrow_mut().take();
    }
}

/// Moves the bytes of many connections, without waiting for any single one.
#[napi]
pub struct Pump {
    inner: Rc<Inner>,
    watcher: LoopWatcher,
    kind: String,
    /// Keeps the memory from being collected.
    _memory: Reference,
}

#[napi]
impl Pump {
    /// A pump of that kind on the calling thread; throws where it cannot be had.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        kind: String,
        mailbox: u32,
        connections: u32,
        memory: Object<'_>,
        on_ready: Function<'_, (), ()>,
    ) -> Result<Self> {
        let exchange = Exchange::new(
            buffer_of(&env, &memory, "input", sys::TypedarrayType::uint8_array)?,
            buffer_of(&env, &memory, "output", sys::TypedarrayType::uint8_array)?,
            buffer_of(&env, &memory, "slab", sys::TypedarrayType::uint8_array)?,
            buffer_of(&env, &memory, "events", sys::TypedarrayType::int32_array)?,
            buffer_of(&env, &memory, "commands", sys::TypedarrayType::int32_array)?,
        );
        if exchange.input_length <= DATAGRAM_BYTES {
            return Err(failure("there is no room for what comes in"));
        }
        let mailbox = mailbox::find(mailbox).ok_or_else(|| failure("the mailbox is closed"))?;
        let connections = connections as usize;
        let backend: Box<dyn Backend> = match kind.as_str() {
            "io_uring" => Box::new(Ring::new(mailbox, connections, &exchange).map_err(failed)?),
            "epoll" => Box::new(Epoll::new(mailbox, connections).map_err(failed)?),
            _ => return Err(failure("there is no such pump")),
        };
        let descriptor = backend.descriptor();
        let inner = Rc::new(Inner {
            backend: RefCell::new(Some(backend)),
            exchange: RefCell::new(exchange),
            pieces: RefCell::new(Vec::new()),
            slice_end: Cell::new(None),
            on_ready: Callback::new(&env, &on_ready)?,
        });
        let watcher = LoopWatcher::start(&env, descriptor, true, inner.clone())?;
        Ok(Pump { inner, watcher, kind, _memory: Reference::new(&env, &memory)? })
    }

    /// `io_uring` or `epoll`.
    #[napi(getter)]
    pub fn kind(&self) -> String {
        self.kind.clone()
    }

    /// Carries out the first `commands` commands, then collects what has happened; returns the
    /// number of events. With `may_wait` it waits for one until the slice is over. Throws when the
    /// kernel does not let it go on: then it is of no use any more.
    #[napi]
    pub fn cycle(&self, commands: u32, may_wait: bool) -> Result<u32> {
        let inner = &*self.inner;
        let mut backend = inner.backend.borrow_mut();
        let Some(backend) = backend.as_deref_mut() else { return Ok(0) };
        let exchange = &mut *inner.exchange.borrow_mut();
        let pieces = &mut *inner.pieces.borrow_mut();
        exchange.begin();
        carry_out(backend, exchange, commands as usize, pieces);
        let patience = match inner.slice_end.get() {
            Some(end) if may_wait => end.saturating_duration_since(Instant::now()),
            _ => Duration::ZERO,
        };
        backend.collect(exchange, patience).map_err(failed)?;
        Ok(exchange.count() as u32)
    }

    /// Begins a slice at once, as the loop does when there is something: calls onReady.
    #[napi]
    pub fn slice(&self) {
        self.inner.on_readable();
    }

    /// Serves this descriptor, which the pump owns from now on, under an id.
    #[napi]
    pub fn adopt(&self, fd: i32, connection: u32) -> Result<()> {
        self.take(fd, connection, false)
    }

    /// The same for a datagram socket.
    #[napi]
    pub fn adopt_datagrams(&self, fd: i32, connection: u32) -> Result<()> {
        self.take(fd, connection, true)
    }

    fn take(&self, fd: i32, connection: u32, datagrams: bool) -> Result<()> {
        // SAFETY: the caller hands the descriptor over.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let mut backend = self.inner.backend.borrow_mut();
        let adopted =
            backend.as_deref_mut().is_some_and(|backend| backend.adopt(fd, connection, datagrams));
        if adopted { Ok(()) } else { Err(failure("the descriptor cannot be served")) }
    }

    /// Closes everything at once.
    #[napi]
    pub fn close(&self) {
        self.watcher.stop();
    }
}

impl Drop for Pump {
    /// Nothing may be received into memory that nobody keeps any more.
    fn drop(&mut self) {
        self.watcher.stop();
    }
}

/// The pumps that work here, best first.
#[napi]
pub fn pump_kinds() -> Vec<String> {
    let mut kinds = vec!["epoll".to_owned()];
    if Ring::is_available() {
        kinds.insert(0, "io_uring".to_owned());
    }
    kinds
}

/// Keeps a value of TypeScript from being collected.
struct Reference {
    env: sys::napi_env,
    raw: sys::napi_ref,
}

impl Reference {
    fn new(env: &Env, object: &Object<'_>) -> Result<Self> {
        let mut raw = std::ptr::null_mut();
        // SAFETY: env and value are those of the running call.
        let status =
            unsafe { sys::napi_create_reference(env.raw(), object.value().value, 1, &mut raw) };
        if status == sys::Status::napi_ok {
            Ok(Reference { env: env.raw(), raw })
        } else {
            Err(failure("the memory cannot be kept"))
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::napi_delete_reference(self.env, self.raw) };
    }
}

/// Where a typed array lies. It must not be detached or grow, which those of TypeScript never do.
fn buffer_of<T>(env: &Env, memory: &Object<'_>, name: &str, kind: i32) -> Result<Buffer<T>> {
    let array: Object<'_> = memory.get_named_property(name)?;
    let (mut found, mut length, mut start) = (0, 0, std::ptr::null_mut());
    // SAFETY: env and value are those of the running call; unwanted results may be left out.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            array.value().value,
            &mut found,
            &mut length,
            &mut start,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok || found != kind {
        return Err(failure(&format!("{name} is not an array of the right type")));
    }
    Ok(Buffer { start: start.cast(), length })
}

fn failed(error: std::io::Error) -> Error {
    failure(&error.to_string())
}

fn failure(reason: &str) -> Error {
    Error::new(Status::GenericFailure, reason.to_owned())
}
