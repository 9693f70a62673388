//! The connections of a pump by their ids, which are slots of the table of connections that all
//! threads share.

use crate::connection::Connection;

pub struct Table {
    connections: Vec<Option<Box<Connection>>>,
}

impl Table {
    /// For ids below `capacity`.
    pub fn new(capacity: usize) -> Self {
        let mut connections = Vec::new();
        connections.resize_with(capacity, || None);
        Table { connections }
    }

    pub fn get(&mut self, id: u32) -> Option<&mut Connection> {
        self.connections.get_mut(id as usize)?.as_deref_mut()
    }

    /// False, and the connection is closed, when the id is out of range or taken.
    pub fn put(&mut self, id: u32, connection: Connection) -> bool {
        match self.connections.get_mut(id as usize) {
            Some(place @ None) => {
                *place = Some(Box::new(connection));
                true
            }
            _ => false,
        }
    }

    /// Closes the descriptor and frees the id.
    pub fn remove(&mut self, id: u32) {
        if let Some(place) = self.connections.get_mut(id as usize) {
            *place = None;
        }
    }
}
