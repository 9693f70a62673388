# Walks dalli through its commands: ruby dalli-driver.rb HOST PORT [USER PASSWORD]
require 'dalli'

Dalli.logger.level = Logger::FATAL
host, port, user, password = ARGV
options = { protocol: :binary, raw: true, socket_max_failures: 1 }
options.merge!(username: user, password: password) if user
client = Dalli::Client.new("#{host}:#{port}", options)

def check(fine, what)
  abort("#{what} gave something else") unless fine
end

begin
  client.delete('rb-n')
  check(client.set('rb-a', 'value'), 'set')
  check(client.get('rb-a') == 'value', 'get')
  check(!client.add('rb-a', 'other'), 'add')
  check(client.replace('rb-a', 'new'), 'replace')
  check(client.incr('rb-n', 7, 100, 5) == 5, 'incr with a default')
  check(client.incr('rb-n', 7) == 12, 'incr')
  check(client.decr('rb-n', 2) == 10, 'decr')
  client.multi { %w[rb-b rb-c].each_with_index { |key, i| client.set(key, (i + 1).to_s) } }
  found = client.get_multi('rb-a', 'rb-b', 'rb-c', 'rb-d')
  check(found == { 'rb-a' => 'new', 'rb-b' => '1', 'rb-c' => '2' }, 'get_multi')
  check(client.cas('rb-a') { |value| "#{value}!" }, 'cas')
  check(client.touch('rb-a', 100), 'touch')
  check(client.gat('rb-a', 100) == 'new!', 'gat')
  check(client.delete('rb-a'), 'delete')
  check(client.get('rb-a').nil?, 'get after delete')
  check(client.stats.values.first['cmd_set'].to_i.positive?, 'stats')
rescue Dalli::DalliError => e
  abort("#{e.class}: #{e.message}")
end
