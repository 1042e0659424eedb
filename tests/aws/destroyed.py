"""The stack deleted: nothing of it is left but the lake."""

from __future__ import annotations

from passage import keys
from stack import NAME
from world import World


def test_everything_goes_but_the_lake(cloud: World) -> None:
    functions = set(cloud.stack.of_type("AWS::Lambda::Function").values())
    machines = set(cloud.stack.of_type("AWS::StepFunctions::StateMachine").values())
    roles = set(cloud.stack.of_type("AWS::IAM::Role").values())
    before = keys(cloud.stack, "LakeBucket")
    cloud.muster("destroy", "--stack", NAME, "--yes")
    client = cloud.aws.client
    left = {one["FunctionName"] for one in client("lambda").list_functions()["Functions"]}
    assert functions and not functions & left
    found = client("stepfunctions").list_state_machines()["stateMachines"]
    assert machines and not machines & {one["stateMachineArn"] for one in found}
    assert roles and not roles & {one["RoleName"] for one in client("iam").list_roles()["Roles"]}
    assert not client("scheduler").list_schedules()["Schedules"]
    assert keys(cloud.stack, "LakeBucket") == before
    names = {one["StackName"] for one in client("cloudformation").describe_stacks()["Stacks"]
             if one["StackStatus"] != "DELETE_COMPLETE"}  # fmt: skip
    assert NAME not in names
