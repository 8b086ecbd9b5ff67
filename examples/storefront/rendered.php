<?php
// Badges that PHP renders with what the hub says now. The socket goes on from there.
//
//   $stock = securecart_stock('https://abc123.execute-api.eu-west-1.amazonaws.com/api', $token, $skus);
//   foreach ($products as $sku => $name) echo securecart_badge($stock, $sku, $name);
//
// The URL is the stack's output RestUrl. The token is a customer's, of the server's own: all
// requests without one share the limits of the server's address.

/** Returns what the hub says of up to 100 items, by topic. Without an answer it is empty. */
function securecart_stock(string $rest, ?string $token, array $skus): array
{
    sort($skus, SORT_STRING);
    $query = implode('&', array_map(fn ($sku) => 'sku=' . rawurlencode($sku), $skus));
    $context = stream_context_create(['http' => [
        'timeout' => 0.5, // seconds
        'header' => $token ? "Authorization: Bearer $token\r\n" : '',
    ]]);
    $answer = @file_get_contents("$rest/v1/stock?$query", false, $context);
    return $answer ? json_decode($answer, true)['topics'] ?? [] : [];
}

/** Returns a badge as HTML: without attributes and words if nothing is known. */
function securecart_badge(array $stock, string $sku, string $name): string
{
    $value = $stock["sku:$sku"] ?? [];
    $attributes = ['sku' => $sku, 'label' => $name];
    foreach (['state', 'quantity', 'version', 'until'] as $field) {
        if (isset($value[$field])) {
            $attributes[$field] = $value[$field];
        }
    }
    $text = match ($value['state'] ?? '') {
        'in' => 'In stock',
        'low' => isset($value['quantity']) ? "Only {$value['quantity']} left" : 'Only a few left',
        'out' => 'Sold out',
        'back' => 'Back order',
        default => '',
    };
    $html = '';
    foreach ($attributes as $field => $content) {
        $html .= " $field=\"" . htmlspecialchars((string) $content, ENT_QUOTES) . '"';
    }
    return "<stock-badge$html>$text</stock-badge>";
}
