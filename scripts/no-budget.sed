# Takes the budget out of template.yaml. Some Regions do not have its type, and CloudFormation refuses a type that it does
# not know, whatever the conditions say.
/^  Budget:$/,/^  [^ ]/{
	/^  Budget:$/d
	/^   /d
}
