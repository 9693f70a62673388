//! Watches a descriptor on the libuv loop of the calling thread, and calls TypeScript when it is
//! readable. Node keeps running its own things on the same loop: timers, messages, terminate.
//!
//! An environment must not end with a handle left on its loop. So every watcher has an asynchronous
//! clean-up hook that stops it and lets the environment go on when the loop has let go of it.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::ptr;
use std::rc::Rc;

use napi::{Env, Error, JsValue, Result, Status, bindgen_prelude::Function, sys};

const UV_POLL: c_int = 8;
const UV_READABLE: c_int = 1;

type UvHandle = c_void;

unsafe extern "C" {
    fn uv_handle_size(kind: c_int) -> usize;
    fn uv_handle_set_data(handle: *mut UvHandle, data: *mut c_void);
    fn uv_handle_get_data(handle: *const UvHandle) -> *mut c_void;
    fn uv_poll_init(uv_loop: *mut sys::uv_loop_s, handle: *mut UvHandle, fd: c_int) -> c_int;
    fn uv_poll_start(
        handle: *mut UvHandle,
        events: c_int,
        callback: unsafe extern "C" fn(*mut UvHandle, c_int, c_int),
    ) -> c_int;
    fn uv_poll_stop(handle: *mut UvHandle) -> c_int;
    fn uv_close(handle: *mut UvHandle, callback: unsafe extern "C" fn(*mut UvHandle));
    fn uv_unref(handle: *mut UvHandle);
}

/// What is done when the descriptor is readable, and when its watcher stops for good.
pub trait Watched {
    fn on_readable(&self);
    /// Called once: close what the descriptor belongs to, for nobody watches it any more.
    fn on_stop(&self);
}

struct State {
    handle: *mut UvHandle,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
    watched: RefCell<Option<Rc<dyn Watched>>>,
}

/// A descriptor being watched. Lives until stop() or the end of the environment.
pub struct LoopWatcher {
    state: Rc<State>,
}

impl LoopWatcher {
    /// Begins to watch. `keeps_alive`: whether the loop must not end while it watches.
    pub fn start(
        env: &Env,
        fd: RawFd,
        keeps_alive: bool,
        watched: Rc<dyn Watched>,
    ) -> Result<Self> {
        let mut uv_loop = ptr::null_mut();
        // SAFETY: plain calls of libuv and Node on the thread that owns the loop. The handle's
        // memory is of the size that libuv asks for and is freed in on_closed only.
        unsafe {
            check(sys::napi_get_uv_event_loop(env.raw(), &mut uv_loop))?;
            let handle = libc::calloc(1, uv_handle_size(UV_POLL));
            if uv_poll_init(uv_loop, handle, fd) != 0 {
                libc::free(handle);
                return Err(failure("the descriptor cannot be watched"));
            }
            let state = Rc::new(State {
                handle,
                hook: Cell::new(ptr::null_mut()),
                watched: RefCell::new(Some(watched)),
            });
            uv_handle_set_data(handle, Rc::into_raw(state.clone()) as *mut c_void);
            if !keeps_alive {
                uv_unref(handle);
            }
            uv_poll_start(handle, UV_READABLE, on_poll);
            let mut hook = ptr::null_mut();
            let argument = Rc::as_ptr(&state) as *mut c_void;
            check(sys::napi_add_async_cleanup_hook(
                env.raw(),
                Some(on_cleanup),
                argument,
                &mut hook,
            ))?;
            state.hook.set(hook);
            Ok(LoopWatcher { state })
        }
    }

    /// Watches nothing until resume().
    pub fn pause(&self) {
        if self.state.watched.borrow().is_some() {
            // SAFETY: the handle is not closed while there is something to watch for.
            unsafe { uv_poll_stop(self.state.handle) };
        }
    }

    /// Goes on after pause().
    pub fn resume(&self) {
        if self.state.watched.borrow().is_some() {
            // SAFETY: as in pause().
            unsafe { uv_poll_start(self.state.handle, UV_READABLE, on_poll) };
        }
    }

    /// Stops watching; on_stop is called before this returns. Without effect the second time.
    pub fn stop(&self) {
        stop(&self.state);
    }
}

fn stop(state: &State) {
    let Some(watched) = state.watched.borrow_mut().take() else { return };
    // SAFETY: it is closed once, here, since `watched` is taken once; on_closed frees it.
    unsafe {
        uv_poll_stop(state.handle);
        uv_close(state.handle, on_closed);
    }
    watched.on_stop();
}

unsafe extern "C" fn on_poll(handle: *mut UvHandle, _status: c_int, _events: c_int) {
    // SAFETY: the data is the State that on_closed, and nothing before it, releases.
    let state = unsafe { &*(uv_handle_get_data(handle) as *const State) };
    let watched = state.watched.borrow().clone();
    if let Some(watched) = watched {
        watched.on_readable();
    }
}

unsafe extern "C" fn on_closed(handle: *mut UvHandle) {
    // SAFETY: this is the reference that start() gave to libuv; the loop has let go of the handle.
    unsafe {
        let state = Rc::from_raw(uv_handle_get_data(handle) as *const State);
        libc::free(handle);
        sys::napi_remove_async_cleanup_hook(state.hook.get());
    }
}

/// The environment ends: it waits for the hook to be removed, which on_closed does.
unsafe extern "C" fn on_cleanup(_hook: sys::napi_async_cleanup_hook_handle, argument: *mut c_void) {
    // SAFETY: the State lives until on_closed, which also removes this hook.
    stop(unsafe { &*(argument as *const State) });
}

/// A function of TypeScript that native code calls, outside of any call from TypeScript.
pub struct Callback {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Callback {
    /// Keeps the function for as long as this lives.
    pub fn new<Args, Return>(env: &Env, function: &Function<'_, Args, Return>) -> Result<Self>
    where
        Args: napi::bindgen_prelude::JsValuesTupleIntoVec,
        Return: napi::bindgen_prelude::FromNapiValue,
    {
        let mut reference = ptr::null_mut();
        // SAFETY: env and value are those of the running call.
        check(unsafe {
            sys::napi_create_reference(env.raw(), function.value().value, 1, &mut reference)
        })?;
        Ok(Callback { env: env.raw(), reference })
    }

    /// Calls it, as the loop calls: microtasks run afterwards, and an exception is nobody's to
    /// catch. `arguments` makes the values in the scope of the call.
    pub fn call(&self, arguments: impl FnOnce(&Env) -> Result<Vec<sys::napi_value>>) {
        let env = self.env;
        // SAFETY: on the thread of the environment, in a scope that is closed again. Every status
        // is looked at before what it was asked for is used.
        unsafe {
            let mut scope = ptr::null_mut();
            if sys::napi_open_handle_scope(env, &mut scope) != sys::Status::napi_ok {
                return;
            }
            if let Ok(values) = arguments(&Env::from_raw(env)) {
                self.call_in_scope(&values);
            }
            sys::napi_close_handle_scope(env, scope);
        }
    }

    unsafe fn call_in_scope(&self, values: &[sys::napi_value]) {
        let env = self.env;
        let (mut function, mut receiver) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: see call().
        unsafe {
            sys::napi_get_reference_value(env, self.reference, &mut function);
            sys::napi_get_global(env, &mut receiver);
            if function.is_null() || receiver.is_null() {
                return;
            }
            let status = sys::napi_make_callback(
                env,
                ptr::null_mut(),
                receiver,
                function,
                values.len(),
                values.as_ptr(),
                ptr::null_mut(),
            );
            if status != sys::Status::napi_pending_exception {
                return;
            }
            let mut exception = ptr::null_mut();
            if sys::napi_get_and_clear_last_exception(env, &mut exception) == sys::Status::napi_ok {
                sys::napi_fatal_exception(env, exception);
            }
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: the reference is ours. At the end of the environment this only reports a status.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}

fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    Err(failure("Node refused to watch a descriptor"))
}

fn failure(reason: &str) -> Error {
    Error::new(Status::GenericFailure, reason.to_owned())
}
