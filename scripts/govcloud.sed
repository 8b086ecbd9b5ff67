# Takes from template.yaml what GovCloud does not have: CloudFormation refuses a type that it does not know, whatever the
# conditions say.
/^  Budget:$/,/^  [^ ]/{
	/^  Budget:$/d
	/^   /d
}
