// Package vtl renders the mapping templates of API Gateway: the Velocity Template
// Language with $input, $context, $stageVariables and $util.
//
// [Parse] reads a template when an API is created and reports mistakes with line
// and column. [Template.Render] writes it for each message. A Template does not
// change, so several goroutines may render it at once.
//
// The language is that of Velocity 1.7: #set, #if, #elseif, #else, #foreach, #break,
// #stop, #define, comments, #[[unparsed text]]#, references with properties, indexes
// and methods, and expressions. Values are those of JSON. They have the methods of
// the Java types that API Gateway uses, such as $list.size() and
// $text.replaceAll("a", "b"); [Parse] and Render refuse what is not known here, so
// that no template is half understood. #macro, #parse, #include and #evaluate are
// refused too.
//
// As in Velocity 1.7, hyphens belong to names ($a-b is one variable), and the line
// break after a directive is not written. That a line which only a directive is on
// writes nothing at all is assumed (G-INTEG-25): it matters in text, but not in JSON.
//
// Rendering is bounded, see the constants of this package: a template can neither
// run forever nor take all memory.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
// https://velocity.apache.org/engine/1.7/vtl-reference.html
package vtl
