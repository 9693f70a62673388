<?php
// Walks php-memcached through its commands: php memcached-driver.php HOST PORT [USER PASSWORD]
[, $host, $port] = $argv;
$client = new Memcached();
$client->setOption(Memcached::OPT_BINARY_PROTOCOL, true);
if (isset($argv[4])) {
    $client->setSaslAuthData($argv[3], $argv[4]);
}
$client->addServer($host, (int) $port);

function check(bool $fine, string $what): void
{
    global $client;
    if ($fine) {
        return;
    }
    fwrite(STDERR, "$what: " . $client->getResultMessage() . ' (' . $client->getResultCode() . ")\n");
    exit(1);
}

$client->delete('php-n');
check($client->set('php-a', 'value'), 'set');
check($client->get('php-a') === 'value', 'get');
check(!$client->add('php-a', 'other'), 'add');
check($client->replace('php-a', 'new'), 'replace');
check($client->increment('php-n', 7, 5) === 5, 'increment with a default');
check($client->increment('php-n', 7) === 12, 'increment');
check($client->decrement('php-n', 2) === 10, 'decrement');
check($client->setMulti(['php-b' => '1', 'php-c' => '2']), 'setMulti');
$found = $client->getMulti(['php-a', 'php-b', 'php-c', 'php-d']);
ksort($found);
check($found === ['php-a' => 'new', 'php-b' => '1', 'php-c' => '2'], 'getMulti');
$seen = $client->get('php-a', null, Memcached::GET_EXTENDED);
check($client->cas($seen['cas'], 'php-a', 'newer'), 'cas');
check(!$client->cas($seen['cas'], 'php-a', 'late'), 'a late cas');
check($client->touch('php-a', 100), 'touch');
check($client->delete('php-a'), 'delete');
check($client->get('php-a') === false, 'get after delete');
$stats = current($client->getStats());
check($stats['cmd_set'] > 0, 'getStats');
